import Foundation
import JobQueue
import Postgres
import Spool
import Support
import TestSupport
import Testing

@testable import Daemon

@Suite struct DoctorTests {
    let scratch: Scratch
    let database: TestDatabase
    var configuration: DaemonConfiguration

    init() async throws {
        scratch = try Scratch()
        database = try await TestDatabase.make()
        configuration = DaemonConfiguration(state: "\(scratch.path)/state")
        configuration.database = RunningDaemon.address(database.settings)
        configuration.spool.minimumFree = 1
        for folder in ["spool/incoming", "spool/done", "results/.work", "models", "logs", "status"] {
            try FileTree.make("\(configuration.state)/\(folder)")
        }
    }

    private func findings(
        _ change: (inout DaemonConfiguration) -> Void = { _ in }
    ) async -> [String: [String]] {
        var configuration = configuration
        change(&configuration)
        let doctor = Doctor(configuration: configuration) { path in
            if path.contains("broken") { throw CocoaError(.fileReadCorruptFile) }
        }
        return Dictionary(grouping: await doctor.run(), by: \.check).mapValues { $0.map(\.sentence) }
    }

    @Test("where all is well nothing is found")
    func well() async throws {
        try await JobStore.migrate(database.settings)
        try scratch.write("", to: "state/models/good.ckpt")
        #expect(await findings() == [:])
    }

    @Test("a schema that is missing, changed or newer, a role that may not, a model that can't be read: a line each")
    func ill() async throws {
        #expect(await findings()["schema"]?.first?.contains("shufflenetd migrate") == true)
        try await JobStore.migrate(database.settings)
        try await database.database.query("UPDATE shufflenet.schema_migrations SET checksum = 'x' WHERE version = 2")
        #expect(await findings()["schema"] == ["step 'intake' was applied from another text than this program has"])
        try await database.database.query("UPDATE shufflenet.schema_migrations SET version = 99 WHERE version = 2")
        #expect(await findings()["schema"]?.first?.contains("has version 99") == true)
        try await database.database.query("DELETE FROM shufflenet.schema_migrations WHERE version = 99")
        #expect(
            await findings { $0.database? += " options='-c role=shufflenet_viewer'" }["grants"]?
                .contains("no right to UPDATE table shufflenet.jobs") == true)
        try scratch.write("", to: "state/models/broken.ckpt")
        #expect(await findings()["models"]?.count == 1)
    }

    @Test("a spool that daemons of another database feed on is named, and one of this database or of none is not")
    func spoolOfAnother() async throws {
        try await JobStore.migrate(database.settings)
        let other = try await TestDatabase.make()
        try await JobStore.migrate(other.settings)
        _ = try SpoolStore(root: configuration.spool.root)
        #expect(await findings() == [:])
        let identity = try await JobStore(database.database).databaseIdentity()
        _ = try SpoolStore(root: configuration.spool.root, database: identity)
        #expect(await findings() == [:])
        let found = await findings { $0.database = RunningDaemon.address(other.settings) }
        #expect(found.keys.sorted() == ["spool"])
        #expect(found["spool"]?.first?.contains("give each database a folder of its own") == true)
    }

    @Test("no database, no folders, no room and no notifications are told with what to do")
    func nothingThere() async throws {
        let found = await findings {
            $0.database = "host=\(scratch.path) connect_timeout=2"
            $0.spool.root = "\(scratch.path)/nowhere"
            $0.spool.minimumFree = 1 << 60
        }
        #expect(found["database"]?.first?.contains("could not be reached") == true)
        #expect(found["folders"]?.first?.contains("there is no '\(scratch.path)/nowhere'") == true)
        #expect(found["disk"]?.first?.contains("spool.min_free") == true)
        let deaf = await findings { $0.listen = "host=\(scratch.path) connect_timeout=2" }
        #expect(deaf["listen"]?.first?.contains("no notification came") == true)
    }

    @Test("jobs in a queue that no running daemon serves are told, and jobs where no daemon runs")
    func unservedQueues() async throws {
        try await JobStore.migrate(database.settings)
        let store = JobStore(database.database)
        func submit(_ queues: String...) async throws {
            for name in queues {
                _ = try await store.submit(
                    JobRequest(kind: .train, args: JSONDocument(text: #"{"dataset": "flowers"}"#), queue: name))
            }
        }
        try await submit("gpu")
        #expect(await findings()["queues"] == ["1 job waits and no daemon runs; start one"])
        try await submit("gpu", "default")
        #expect(await findings()["queues"] == ["3 jobs wait and no daemon runs; start one"])
        _ = try await store.registerWorker(WorkerRegistration(slots: 1, queues: ["default", "spool-1"]))
        let found = await findings()
        #expect(found.keys.sorted() == ["queues"])
        #expect(found["queues"]?.first?.contains("2 jobs wait in queue 'gpu'") == true, "\(found)")
        try await submit("tpu")
        let single = await findings()["queues"]?.last
        #expect(single?.hasPrefix("1 job waits in queue 'tpu', ") == true, "\(single ?? "")")
        #expect(single?.contains("; move it: UPDATE") == true, "\(single ?? "")")
        _ = try await store.registerWorker(WorkerRegistration(slots: 1, queues: ["gpu", "tpu"]))
        #expect(await findings() == [:])
        // As after a crash.
        try await database.database.query(
            "UPDATE shufflenet.workers SET last_heartbeat = clock_timestamp() - interval '3 minutes'")
        #expect(await findings()["queues"] == ["4 jobs wait and no daemon runs; start one"])
    }

    @Test("a schedule that was given up is told with its note and the way to revive it, a paused one is not")
    func givenUpSchedule() async throws {
        try await JobStore.migrate(database.settings)
        let store = JobStore(database.database)
        // A day that never comes.
        let args = JSONDocument(text: #"{"dataset": "flowers"}"#)
        try await store.schedule(
            ScheduleDefinition(name: "nightly", cron: "0 0 30 2 *", kind: .train, args: args))
        #expect(await findings() == [:])
        _ = try await store.tickSchedules()
        let found = await findings()["schedules"]
        #expect(found?.count == 1 && found?[0].contains("'nightly' is given up: it never fires") == true)
        #expect(found?.first?.contains("shufflenetd schedule resume nightly") == true, "\(found ?? [])")
        _ = try await store.pauseSchedule("nightly")
        #expect(await findings() == [:])
    }

    @Test("a spool whose mark says nothing is named")
    func damagedMark() async throws {
        try await JobStore.migrate(database.settings)
        try scratch.write("", to: "state/spool/.spool-id")
        #expect(await findings()["spool"]?.first?.contains("/.spool-id' holds no hexadecimal digits") == true)
    }

    @Test("a LISTEN that goes through a transaction pooler is found out, and a direct one is not complained of")
    func deafness() async throws {
        try await JobStore.migrate(database.settings)
        let pooler = try await PgBouncer(before: database.settings)
        let through = RunningDaemon.address(pooler.settings) + " port=6432"
        #expect(await findings { $0.database = through }["listen"]?.first?.contains("direct connection") == true)
        let direct = RunningDaemon.address(database.settings)
        #expect(
            await findings {
                $0.database = through
                $0.listen = direct
            } == [:])
    }
}
