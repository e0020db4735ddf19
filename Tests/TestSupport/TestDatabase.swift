import Foundation
import Glibc
public import Postgres
import Synchronization

/// A fresh, empty database for one test, on a cluster that the tests of a process share and start themselves.
public struct TestDatabase: Sendable {
    public let settings: ConnectionSettings
    public let database: Database

    /// - Parameters:
    ///   - capacity: the most connections the test will hold at a time.
    ///   - original: one to copy, to which nobody is connected.
    public static func make(capacity: Int = 4, copyOf original: TestDatabase? = nil) async throws -> TestDatabase {
        let server = try await TestCluster.shared.administration()
        let name = "test_\(ProcessInfo.processInfo.processIdentifier)_\(next.add(1, ordering: .relaxed).newValue)"
        let names = [name, original?.settings.database ?? "template1"].map(Connection.quoted(identifier:))
        _ = try await server.withConnection { try $0.query("CREATE DATABASE \(names[0]) TEMPLATE \(names[1])") }
        let settings = server.settings.database(name)
        return TestDatabase(settings: settings, database: Database(settings, capacity: capacity))
    }

    private static let next = Atomic(0)
}

/// The cluster of this test process: under the temporary folder, without fsync, stopped and removed at exit.
/// What a killed test process left behind is cleared away by the next one.
private actor TestCluster {
    static let shared = TestCluster()

    private static let prefix = "shufflenetd-tests-"
    private var starting: Task<Database, any Error>?

    /// Few connections, so that the tests, which all begin at once, reach the server one after another.
    func administration() async throws -> Database {
        let task = starting ?? Task { try await Self.start() }
        starting = task
        return try await task.value
    }

    private static func start() async throws -> Database {
        let temporary = NSTemporaryDirectory()
        await clearRemains(in: temporary)
        let state = (temporary as NSString).appendingPathComponent(prefix + String(getpid()))
        let cluster = PrivateCluster(state: state, options: PrivateCluster.Options(fsync: false, maxConnections: 300))
        try await cluster.start()
        folderAtExit.withLock { $0 = (state, cluster.dataFolder) }
        atexit { TestCluster.clearAtExit() }
        return Database(cluster.settings.database("postgres"), capacity: 2)
    }

    private static let folderAtExit = Mutex<(state: String, data: String)?>(nil)

    /// Runs while the process ends, so without tasks: SIGQUIT ends a server at once, and nothing of it is kept.
    private static func clearAtExit() {
        guard let (state, data) = folderAtExit.withLock({ $0 }) else { return }
        if let text = try? String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8),
            let line = text.split(separator: "\n").first, let pid = pid_t(line)
        {
            kill(pid, SIGQUIT)
            var polls = 0
            while kill(pid, 0) == 0, polls < 500 {
                usleep(10_000)
                polls += 1
            }
        }
        try? FileManager.default.removeItem(atPath: state)
    }

    private static func clearRemains(in temporary: String) async {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: temporary)) ?? []
        for name in names where name.hasPrefix(prefix) {
            guard let pid = pid_t(name.dropFirst(prefix.count)), pid != getpid(), kill(pid, 0) != 0, errno == ESRCH
            else { continue }
            let state = (temporary as NSString).appendingPathComponent(name)
            // Somebody else's remains can't be stopped or removed: leave them.
            guard (try? await PrivateCluster(state: state).stop()) != nil else { continue }
            try? FileManager.default.removeItem(atPath: state)
        }
    }
}
