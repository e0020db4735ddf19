import Foundation
import JobQueue
import Postgres
import TestSupport
import Testing

@Suite struct IntakeTests {
    @Test func `a plain INSERT makes a job that can be claimed`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.database.query(
            #"INSERT INTO shufflenet.jobs (kind, args) VALUES ('train', '{"dataset": "flowers", "epochs": 2}')"#)
        let claim = try await queue.claimOne()
        #expect(claim.job.kind == .train)
        #expect(claim.job.attempt == 1)
        let job = try #require(try await queue.store.job(claim.id))
        #expect(job.state == .running && job.attempt == 1 && job.submittedBy == PrivateCluster.owner)
        #expect(try claim.job.args.decode([String: JSONScalar].self)["epochs"] == .number(2))
    }

    @Test(arguments: [
        (#"'tarin', '{"dataset": "a"}'"#, "unknown job kind 'tarin'", "Use train, evaluate or classify."),
        (#"'train', '[1]'"#, "a JSON array, wanted an object", "Write it as"),
        (#"'train', 'null'"#, "a JSON null, wanted an object", "Write it as"),
        (#"'train', '{"dataset": "a", "epocs": 3}'"#, "unknown key in args of kind train: 'epocs'", "epochs"),
        (#"'train', '{"epochs": 3}'"#, "lacks 'dataset'", "job_arguments"),
        (#"'classify', '{"images": "../../etc", "model": "m"}'"#, "'images' is not a name", "never a path"),
        (#"'classify', '{"images": "a", "model": "/m"}'"#, "'model' is not a name", "never a path"),
        (#"'classify', '{"images": "a", "model": ".hidden"}'"#, "'model' is not a name", "never a path"),
        (#"'classify', '{"images": "a\nb", "model": "m"}'"#, "'images' is not a name", "never a path"),
        (#"'classify', '{"images": 7, "model": "m"}'"#, "'images' is not a name", "never a path"),
    ])
    func `what can't be run is refused with a hint`(values: String, message: String, hint: String) async throws {
        let queue = try await QueueFixture.make()
        let error = await #expect(throws: PostgresError.self) {
            try await queue.database.query("INSERT INTO shufflenet.jobs (kind, args) VALUES (\(values))")
        }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
        #expect(error?.hint?.contains(hint) == true, "\(error?.hint ?? "")")
        #expect(error?.sqlState == .checkViolation)
    }

    @Test(arguments: [
        ("priority", "101", "priority is 101"), ("run_at", "'infinity'", "run_at is infinity"),
        ("run_at", "'2999-01-01'", "within ten years"), ("state", "'completed'", "a new job has state 'completed'"),
        ("lease_token", "1", "a new job has"), ("name", "'a/b'", "name is not a label"),
        ("name", "'..'", "name is not a label"),
        ("queue", "'a b'", "queue has 1 to 100 letters"), ("max_attempts", "0", "max_attempts is 1 to 100"),
        ("unique_key", "'spool:x'", "belongs to a dropped folder"),
    ])
    func `columns out of range are refused`(column: String, value: String, message: String) async throws {
        let queue = try await QueueFixture.make()
        let error = await #expect(throws: PostgresError.self) {
            try await queue.database.query(
                "INSERT INTO shufflenet.jobs (kind, args, \(column)) VALUES ('train', '{\"dataset\": \"a\"}', \(value))"
            )
        }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test func `submit gives every field to the row`() async throws {
        let queue = try await QueueFixture.make()
        let runAt = Date(timeIntervalSince1970: Date.now.timeIntervalSince1970.rounded() + 3600)
        let id = try await queue.store.submit(
            JobRequest(
                kind: .classify, args: JSONDocument(text: #"{"images": "a", "model": "m"}"#), name: "Batch № 4",
                queue: "fast", priority: 7, runAt: runAt, maxAttempts: 5, timeout: .seconds(90), uniqueKey: "k"))
        let job = try #require(try await queue.store.job(id))
        #expect(job.kind == .classify)
        #expect(job.name == "Batch № 4")
        #expect(job.queue == "fast")
        #expect(job.priority == 7)
        #expect(job.runAt == runAt)
        #expect(job.maxAttempts == 5)
        #expect(job.timeout == .seconds(90))
        #expect(job.uniqueKey == "k")
        #expect(job.state == .available)
        #expect(try await queue.store.jobs(states: [.available]).map(\.id) == [id])
    }

    @Test func `a unique key is one unfinished job, and free again afterwards`() async throws {
        let queue = try await QueueFixture.make()
        let request = JobRequest(kind: .train, args: JSONDocument(text: #"{"dataset": "a"}"#), uniqueKey: "nightly")
        let first = try await queue.store.submit(request)
        #expect(try await queue.store.submit(request) == first)
        let claim = try await queue.claimOne()
        #expect(try await queue.store.submit(request) == first)
        #expect(try await queue.store.complete(claim.lease, result: nil, outputPath: nil))
        #expect(try await queue.store.submit(request) != first)
    }

    @Test func `many who submit one key at once get one job`() async throws {
        let queue = try await QueueFixture.make(capacity: 8)
        let request = JobRequest(kind: .train, args: JSONDocument(text: #"{"dataset": "a"}"#), uniqueKey: "k")
        let ids = try await withThrowingTaskGroup(of: JobID.self) { group in
            for _ in 0..<16 { group.addTask { try await queue.store.submit(request) } }
            return try await group.reduce(into: Set<JobID>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
    }

    @Test func `a waiting job is cancelled at once, a running one is asked, an ended one is left alone`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert(2)
        let claim = try await queue.claimOne()
        let waiting = try #require(try await queue.store.jobs(states: [.available]).first).id
        #expect(try await queue.store.cancel(waiting) == .cancelled)
        #expect(try await queue.store.job(waiting)?.reason == .cancelled)
        #expect(try await queue.store.cancel(claim.id) == .cancelling)
        #expect(try await queue.store.cancel(claim.id) == .cancelling)
        #expect(try await queue.store.heartbeat(queue.worker).cancelRequests == [claim.lease])
        #expect(try await queue.store.cancelRunning(claim.lease))
        #expect(try await queue.store.job(claim.id)?.state == .cancelled)
        #expect(try await queue.store.cancel(claim.id) == .finished)
        let error = await #expect(throws: PostgresError.self) { _ = try await queue.store.cancel(JobID(4711)) }
        #expect(error?.message == "there is no job 4711")
    }

    @Test func `a held job waits until it is let go`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        let id = try #require(try await queue.store.jobs().first).id
        try await queue.store.hold(id)
        #expect(try await queue.store.claimAvailable(1, for: queue.worker).isEmpty)
        await #expect(throws: PostgresError.self) { try await queue.store.hold(id) }
        try await queue.store.letGo(id)
        #expect(try await queue.claimOne().id == id)
        await #expect(throws: PostgresError.self) { try await queue.store.letGo(id) }
    }

    @Test func `deleting a job forgets its events and attempts`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        let claim = try await queue.claimOne()
        try await queue.database.query("DELETE FROM shufflenet.jobs")
        #expect(try await queue.store.events(of: claim.id).isEmpty)
        #expect(try await queue.store.attempts(of: claim.id).isEmpty)
        #expect(try await !queue.store.complete(claim.lease, result: nil, outputPath: nil))
    }
}

/// Enough of JSON for these tests.
enum JSONScalar: Decodable, Equatable {
    case number(Double)
    case text(String)

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else {
            self = .text(try container.decode(String.self))
        }
    }
}
