import Foundation
import Glibc
import JobQueue
import Postgres
import TestSupport
import Testing

@testable import Daemon

/// Behind PgBouncer in transaction mode, where no two transactions need meet the same server process.
@Suite struct PoolerTests {
    @Test("everything but LISTEN goes through a transaction pooler, and hints come by the direct way")
    func transactionPooler() async throws {
        let scratch = try Scratch()
        let database = try await TestDatabase.make(capacity: 4)
        try FileManager.default.createDirectory(atPath: "\(scratch.path)/pool", withIntermediateDirectories: true)
        let file = try scratch.write(
            """
            [databases]
            * = host=\(database.settings.host ?? "") user=\(PrivateCluster.owner)
            [pgbouncer]
            listen_addr =
            unix_socket_dir = \(scratch.path)/pool
            auth_type = any
            pool_mode = transaction
            default_pool_size = 3
            logfile = \(scratch.path)/pool/log
            """, to: "pool/ini")
        // It refuses to run as root, and the server takes it for its own account, which is the tests' or postgres.
        let pooler = Process()
        let account =
            geteuid() == 0 ? ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : []
        if geteuid() == 0 { chmod("\(scratch.path)/pool", 0o777) }
        let command = account + ["/usr/sbin/pgbouncer", "-q", file]
        pooler.executableURL = URL(filePath: command[0])
        pooler.arguments = Array(command.dropFirst())
        try pooler.run()
        defer { kill(pooler.processIdentifier, SIGKILL) }
        #expect(await eventually { FileTree.exists("\(scratch.path)/pool/.s.PGSQL.6432") })

        let direct = RunningDaemon.address(database.settings)
        let daemon = try RunningDaemon(
            scratch: scratch, database: database, child: FaultLoad.child, workers: 4,
            // A poll that does not come within the test: what is heard is heard by NOTIFY.
            timings: "{heartbeat: 200ms, fence: 20s, dead: 30s, poll: 1h}", more: "listen: \(direct)",
            address: direct.replacing(
                "host=\(database.settings.host ?? "")", with: "host=\(scratch.path)/pool port=6432"))
        #expect(try await daemon.isReady(), "\(scratch.read("state.log") ?? "")")
        var load = FaultLoad(scratch: scratch, queue: daemon.queue)
        try await load.submit(20)
        #expect(try await load.waitForEnd(), "\(scratch.read("state.log") ?? "")")
        try await load.check(states: ["state"])
        daemon.send(SIGTERM)
        #expect(await daemon.exitStatus() == 0)
    }
}
