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
        let pooler = try await PgBouncer(before: database.settings)

        let direct = RunningDaemon.address(database.settings)
        let daemon = try RunningDaemon(
            scratch: scratch, database: database, child: FaultLoad.child, workers: 4,
            // A poll that does not come within the test: what is heard is heard by NOTIFY.
            timings: "{heartbeat: 200ms, fence: 20s, dead: 30s, poll: 1h}", more: "listen: \(direct)",
            address: direct.replacing(
                "host=\(database.settings.host ?? "")", with: "host=\(pooler.folder) port=6432"))
        #expect(try await daemon.isReady(), "\(scratch.read("state.log") ?? "")")
        var load = FaultLoad(scratch: scratch, queue: daemon.queue)
        try await load.submit(20)
        #expect(try await load.waitForEnd(), "\(scratch.read("state.log") ?? "")")
        try await load.check(states: ["state"])
        #expect(scratch.read("state.log")?.contains("together with a claim") == false)
        daemon.send(SIGTERM)
        #expect(await daemon.exitStatus() == 0)
    }

    @Test("a daemon that would listen through the pooler says that it hears nothing, and works by polling")
    func deaf() async throws {
        let scratch = try Scratch()
        let database = try await TestDatabase.make(capacity: 4)
        let pooler = try await PgBouncer(before: database.settings)
        let daemon = try RunningDaemon(
            scratch: scratch, database: database, child: FaultLoad.child, workers: 4,
            address: RunningDaemon.address(pooler.settings) + " port=6432")
        #expect(try await daemon.isReady(), "\(scratch.read("state.log") ?? "")")
        var load = FaultLoad(scratch: scratch, queue: daemon.queue)
        try await load.submit(5)
        #expect(try await load.waitForEnd(), "\(scratch.read("state.log") ?? "")")
        #expect(
            await eventually {
                scratch.read("state.log")?.contains("a notification sent by another connection") == true
            })
        daemon.send(SIGTERM)
        #expect(await daemon.exitStatus() == 0)
    }
}
