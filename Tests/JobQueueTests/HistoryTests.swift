import Foundation
import JobQueue
import Postgres
import TestSupport
import Testing

/// View `job_events`: a row for every change of a job's state, though claims and completions write none.
@Suite struct HistoryTests {
    private func steps(_ queue: QueueFixture, _ job: JobID) async throws -> [String] {
        try await queue.store.events(of: job).map { "\($0.from?.rawValue ?? "")>\($0.to.rawValue)" }
    }

    private func written(_ queue: QueueFixture, _ job: JobID) async throws -> Int {
        try await queue.database.query("SELECT FROM shufflenet.job_history WHERE job_id = $1", [job.rawValue]).count
    }

    @Test func `a claim and a completion are events of their worker, though nothing is written`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        let claim = try await queue.claimOne()
        #expect(try await steps(queue, claim.id) == [">available", "available>running"])
        try await queue.store.recordLog(claim.lease, path: "/log")
        let usage = AttemptUsage(cpuTime: .seconds(3), peakMemoryBytes: 5)
        #expect(try await queue.store.complete(claim.lease, result: nil, outputPath: "/o", usage: usage))
        #expect(try await steps(queue, claim.id) == [">available", "available>running", "running>completed"])
        #expect(try await written(queue, claim.id) == 1)
        let events = try await queue.store.events(of: claim.id)
        #expect(events.allSatisfy { $0.actor == PrivateCluster.owner })
        #expect(events.dropFirst().allSatisfy { $0.worker == queue.worker && $0.attempt == 1 && $0.reason == nil })
        #expect(events.map(\.at) == events.map(\.at).sorted())
        let attempt = try #require(try await queue.store.attempts(of: claim.id).first)
        #expect(attempt.token == claim.lease.token && attempt.logPath == "/log" && attempt.cpuTime == .seconds(3))
        #expect(attempt.finishedAt != nil && attempt.reason == nil && attempt.peakMemoryBytes == 5)
    }

    @Test func `what the row told is written down before the row tells something else`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        for attempt in 1...2 {
            let claim = try await queue.claimOne()
            _ = try await queue.store.fail(claim.lease, reason: .error, error: "e\(attempt)")
            try await queue.makeDue()
        }
        let drained = try await queue.claimOne()
        #expect(try await queue.store.release(drained.lease))
        let last = try await queue.claimOne()
        #expect(try await queue.store.complete(last.lease, result: nil, outputPath: nil))
        let once = ["available>running", "running>available"]
        #expect(
            try await steps(queue, last.id)
                == [">available"] + once + once + once + ["available>running", "running>completed"])
        let attempts = try await queue.store.attempts(of: last.id)
        #expect(attempts.map(\.attempt) == [1, 2, 3, 3])
        #expect(attempts.map(\.error) == ["e1", "e2", nil, nil])
        #expect(attempts.map(\.reason) == [.error, .error, .preempted, nil])
        #expect(attempts.allSatisfy { $0.finishedAt != nil })
    }

    @Test func `changes by hand are events with the name of who made them, whatever the row told before`() async throws
    {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        let claim = try await queue.claimOne()
        let sql = [
            "UPDATE shufflenet.jobs SET state = 'completed', finished_at = now() WHERE id = $1",
            "UPDATE shufflenet.jobs SET state = 'available', finished_at = NULL WHERE id = $1",
            "UPDATE shufflenet.jobs SET state = 'held' WHERE id = $1",
            "UPDATE shufflenet.jobs SET priority = 3 WHERE id = $1",
        ]
        for statement in sql { try await queue.database.query(statement, [claim.id.rawValue]) }
        let before = [
            ">available", "available>running", "running>completed", "completed>available", "available>held",
        ]
        #expect(try await steps(queue, claim.id) == before)
        try await queue.store.letGo(claim.id)
        let again = try await queue.claimOne()
        #expect(try await queue.store.complete(again.lease, result: nil, outputPath: nil))
        // A completion that the row told, overwritten.
        try await queue.database.query(sql[1], [claim.id.rawValue])
        #expect(
            try await steps(queue, claim.id)
                == before + ["held>available", "available>running", "running>completed", "completed>available"])
        #expect(try await queue.store.events(of: claim.id).allSatisfy { $0.actor == PrivateCluster.owner })
    }

    @Test func `jobs that others wait for, or that share a key, are told of like the rest`() async throws {
        let queue = try await QueueFixture.make()
        let args = JSONDocument(text: #"{"dataset": "a"}"#)
        let first = try await queue.store.submit(JobRequest(kind: .train, args: args, concurrencyKey: "k"))
        let second = try await queue.store.submit(
            JobRequest(kind: .train, args: args, concurrencyKey: "k", after: [first]))
        for job in [first, second] {
            let claim = try await queue.claimOne()
            #expect(claim.id == job)
            #expect(try await queue.store.complete(claim.lease, result: nil, outputPath: nil))
            #expect(try await steps(queue, job) == [">available", "available>running", "running>completed"])
        }
    }

    @Test func `events of a schema from before this view stay, in order, and a running job goes on`() async throws {
        let test = try await TestDatabase.make()
        let newest = Migrator.shufflenet
        let older = Migrator(
            schema: newest.schema, migrations: Array(newest.migrations.prefix { $0.name != "history" }))
        try await test.database.withConnection { connection in
            try older.migrate(connection)
            try connection.query(
                "INSERT INTO shufflenet.workers (host, boot_id, pid, slots) VALUES ('h', 'b', 1, 1)")
            for id in 1...2 {
                try connection.query(
                    #"INSERT INTO shufflenet.jobs (kind, args) VALUES ('train', '{"dataset": "a"}')"#)
                try connection.query(
                    """
                    UPDATE shufflenet.jobs SET state = 'running', worker_id = 1, attempt = 1,
                        lease_token = nextval('shufflenet.lease_tokens'), started_at = clock_timestamp() WHERE id = $1
                    """, [id])
            }
            try connection.query(
                "UPDATE shufflenet.jobs SET state = 'completed', finished_at = clock_timestamp() WHERE id = 1")
        }
        try await JobStore.migrate(test.settings)
        let queue = QueueFixture(
            test: test, store: JobStore(test.database), worker: WorkerID(1))
        let token = try #require(try await queue.store.job(JobID(2))?.leaseToken)
        #expect(
            try await queue.store.complete(Lease(job: JobID(2), token: token), result: nil, outputPath: nil))
        for id in [JobID(1), JobID(2)] {
            #expect(try await steps(queue, id) == [">available", "available>running", "running>completed"])
            #expect(try await queue.store.attempts(of: id).map(\.reason) == [nil])
        }
        try await queue.insert()
        let claim = try await queue.claimOne()
        #expect(claim.lease.token > token)
        #expect(try await steps(queue, claim.id) == [">available", "available>running"])
    }
}
