import Foundation
import Glibc
public import Postgres

/// Debian's pgbouncer in transaction mode before a server of the tests, in a folder of its own. Ends with its owner.
public final class PgBouncer: Sendable {
    /// The way through it.
    public let settings: ConnectionSettings
    /// The folder of its socket, whose port is 6432.
    public let folder: String
    private let process: Process

    public init(before server: ConnectionSettings) async throws {
        var template = Array("/tmp/shufflenetd-pool.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Tool.Failure(description: "mkdtemp: errno \(errno)") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let file = "\(folder)/ini"
        try """
        [databases]
        * = host=\(server.host ?? "") user=\(server.user ?? "")
        [pgbouncer]
        listen_addr =
        unix_socket_dir = \(folder)
        auth_type = any
        pool_mode = transaction
        default_pool_size = 3
        logfile = \(folder)/log
        """.write(toFile: file, atomically: true, encoding: .utf8)
        // It refuses to run as root, and the server takes it for its own account, which is the tests' or postgres.
        var command = ["/usr/sbin/pgbouncer", "-q", file]
        if geteuid() == 0 {
            chmod(folder, 0o777)
            chmod(file, 0o644)
            command = ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] + command
        }
        process = Process()
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        settings = ConnectionSettings(
            host: folder, port: 6432, database: server.database ?? "", user: server.user ?? "")
        try process.run()
        let end = ContinuousClock.now + .seconds(30)
        while access("\(folder)/.s.PGSQL.6432", F_OK) != 0 {
            guard process.isRunning, ContinuousClock.now < end else {
                throw Tool.Failure(description: "pgbouncer did not start: see \(folder)/log")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        try? FileManager.default.removeItem(atPath: folder)
    }
}
