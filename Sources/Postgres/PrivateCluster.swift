internal import Foundation
internal import Glibc
public import Logging
internal import Support

/// A PostgreSQL cluster of one's own, made and run with Debian's programs, reachable only through a unix socket.
///
/// The server outlives a killed daemon on purpose; the next `start` finds it running and takes it as it is.
/// Who may connect is decided by the kernel's word about the other side (`peer`): the server's user, whoever
/// started it, and root may be the owner role `shufflenetd`; everybody else only the role of their own name.
public struct PrivateCluster: Sendable {
    public struct Options: Sendable {
        /// Only for tests: without it a power cut loses commits and may lose the cluster.
        public var fsync: Bool
        public var maxConnections: Int
        /// More lines of `postgresql.conf`, later ones win.
        public var settings: [String: String]

        public init(fsync: Bool = true, maxConnections: Int = 100, settings: [String: String] = [:]) {
            self.fsync = fsync
            self.maxConnections = maxConnections
            self.settings = settings
        }
    }

    public enum Started: Sendable, Equatable {
        case created, started
        /// A server of an earlier start was still running.
        case adopted
    }

    /// The role and the database made for the daemon.
    public static let owner = "shufflenetd"

    /// `<state>/postgres`.
    public let folder: String
    public let options: Options
    let stateFolder: String
    let logger: Logger

    public var dataFolder: String { folder + "/data" }

    /// - Parameter state: the state folder; its `postgres` folder belongs to the cluster.
    public init(state: String, options: Options = Options(), logger: Logger = Logger(label: "shufflenetd.postgres")) {
        let absolute = state.hasPrefix("/") ? state : FileManager.default.currentDirectoryPath + "/" + state
        // Without symbolic links, because the processes of a server are known by their working folder.
        stateFolder = Self.resolved((absolute as NSString).standardizingPath)
        folder = stateFolder + "/postgres"
        self.options = options
        self.logger = logger
    }

    /// How to connect, whether or not the server is running. For psql: `psql -h <host> -U shufflenetd shufflenetd`.
    public var settings: ConnectionSettings {
        ConnectionSettings(host: socketFolder, database: Self.owner, user: Self.owner)
    }

    /// Where the socket is: `<state>/postgres/run`, or, where that is too long for a socket address (107 bytes with
    /// the file's name, see unix(7)), a short folder under /tmp named after it.
    public var socketFolder: String {
        let usual = folder + "/run"
        guard (usual + "/.s.PGSQL.5432.lock").utf8.count > 107 else { return usual }
        return "/tmp/shufflenetd-\(String(FNV1a.hash(folder), radix: 36))"
    }

    public var isRunning: Bool { ServerProcess(dataFolder: dataFolder).livingPostmaster != nil }

    /// Makes the cluster if there is none, starts it if it is not running, and waits until it answers.
    ///
    /// Throws `PrivateClusterError` or `PostgresError`. Only one process at a time works on a cluster: others wait.
    @discardableResult
    public func start() async throws -> Started {
        let account = try ServerAccount.current()
        try prepareFolders(account)
        let lock = try await ClusterLock(path: folder + "/lock")
        defer { lock.release() }

        let process = ServerProcess(dataFolder: dataFolder)
        if process.livingPostmaster != nil, try await answers({ process.livingPostmaster != nil }) {
            return .adopted
        }
        let exists = FileManager.default.fileExists(atPath: dataFolder + "/PG_VERSION")
        let binaries = try ServerBinaries.find(majorVersion: exists ? try existingVersion() : nil)
        let control = ServerControl(binaries: binaries, account: account, folder: folder)
        if exists {
            try await process.clearRemains()
            for name in [".s.PGSQL.5432", ".s.PGSQL.5432.lock"] { unlink(socketFolder + "/" + name) }
        } else {
            logger.info("making a private PostgreSQL \(binaries.majorVersion) cluster in \(dataFolder)")
            try await control.initialise(dataFolder: dataFolder, owner: Self.owner, fsync: options.fsync)
        }
        try writeConfiguration(account)
        try await control.start(dataFolder: dataFolder, log: folder + "/start.log")
        _ = try await answers { true }
        try await makeDatabase()
        return exists ? .started : .created
    }

    /// Stops the server (fast: open transactions are rolled back). Nothing happens if it is not running.
    public func stop() async throws {
        guard isRunning else { return }
        // Whoever starts meanwhile waits until this server is gone, and does not adopt a dying one.
        let lock = try await ClusterLock(path: folder + "/lock")
        defer { lock.release() }
        guard let pid = ServerProcess(dataFolder: dataFolder).livingPostmaster else { return }
        let account = try ServerAccount.current()
        let control = ServerControl(
            binaries: try ServerBinaries.find(majorVersion: try existingVersion()), account: account, folder: folder)
        try await control.stop(dataFolder: dataFolder, process: pid)
    }

    private func prepareFolders(_ account: ServerAccount) throws {
        do {
            try FileManager.default.createDirectory(atPath: stateFolder, withIntermediateDirectories: true)
        } catch {
            throw PrivateClusterError(
                "could not make the state folder '\(stateFolder)': \(error). Choose another state folder.")
        }
        try account.checkReach(of: stateFolder, opening: stateFolder)
        try account.own(folder: folder, mode: 0o711)
        try account.own(folder: socketFolder, mode: 0o755)
    }

    private func existingVersion() throws -> Int {
        let text = try String(contentsOfFile: dataFolder + "/PG_VERSION", encoding: .utf8)
        guard let version = Int(text.trimmed) else {
            throw PrivateClusterError("'\(dataFolder)/PG_VERSION' says '\(text.trimmed)', wanted a whole number")
        }
        return version
    }

    /// Waits for an answer; false if the server, which was about to die, is gone before it gave one.
    private func answers(_ isAlive: () -> Bool) async throws -> Bool {
        let began = ContinuousClock.now
        let session = Session(
            settings.database("postgres"), backoff: Backoff(first: .milliseconds(20), cap: .milliseconds(500)))
        while true {
            do {
                try await session.withConnection { _ = try $0.query("SELECT 1") }
                return true
            } catch let error as PostgresError {
                guard error.isConnectionLost, ContinuousClock.now - began < .seconds(120) else { throw error }
                if !isAlive() { return false }
            }
        }
    }

    private func makeDatabase() async throws {
        let session = Session(settings.database("postgres"))
        try await session.withConnection { connection in
            let name = Self.owner
            let found = try connection.query("SELECT 1 FROM pg_database WHERE datname = $1", [name])
            if found.isEmpty { try connection.query("CREATE DATABASE " + Connection.quoted(identifier: name)) }
        }
        await session.close()
    }

    private static func resolved(_ path: String) -> String {
        if let real = realpath(path, nil) {
            defer { free(real) }
            return String(cString: real)
        }
        guard path != "/" else { return path }
        let parent = resolved((path as NSString).deletingLastPathComponent)
        return (parent == "/" ? "" : parent) + "/" + (path as NSString).lastPathComponent
    }
}
