import Foundation
import JobQueue
import Postgres
import TestSupport
import Testing

@Suite struct ClaimTests {
    @Test func `eight claimers at once take every job exactly once`() async throws {
        let queue = try await QueueFixture.make(capacity: 8)
        try await queue.insert(200)
        let taken = try await withThrowingTaskGroup(of: [ClaimedJob].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var mine: [ClaimedJob] = []
                    while case let claims = try await queue.store.claimAvailable(3, for: queue.worker), !claims.isEmpty
                    {
                        mine += claims
                    }
                    return mine
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        // A claimer may stop early, when all due rows were locked for a moment; the rest is for the next round.
        let rest = try await queue.store.claimAvailable(200, for: queue.worker)
        let all = taken + rest
        #expect(all.count == 200)
        #expect(Set(all.map(\.id)).count == 200)
        #expect(Set(all.map(\.lease.token)).count == 200)
        #expect(all.allSatisfy { $0.job.attempt == 1 })
        #expect(try await queue.store.jobs(limit: 1000).allSatisfy { $0.attempt == 1 && $0.workerID == queue.worker })
    }

    @Test func `priority goes first, then the older, and never more than asked for`() async throws {
        let queue = try await QueueFixture.make()
        var ids: [JobID] = []
        for (priority, delay) in [(0, 0.0), (5, 3600), (-5, 0), (5, -10), (0, -60)] {
            ids.append(
                try await queue.store.submit(
                    JobRequest(
                        kind: .train, args: JSONDocument(text: #"{"dataset": "a"}"#), priority: priority,
                        runAt: Date.now + delay)))
        }
        #expect(try await queue.store.claimAvailable(2, for: queue.worker).map(\.id) == [ids[3], ids[4]])
        #expect(try await queue.store.claimAvailable(9, for: queue.worker).map(\.id) == [ids[0], ids[2]])
        #expect(try await queue.store.claimAvailable(0, for: queue.worker).isEmpty)
    }

    @Test func `a worker takes only from its queues`() async throws {
        let queue = try await QueueFixture.make()
        let args = JSONDocument(text: #"{"dataset": "a"}"#)
        let other = try await queue.store.submit(JobRequest(kind: .train, args: args, queue: "other"))
        let usual = try await queue.store.submit(JobRequest(kind: .train, args: args))
        #expect(try await queue.store.claimAvailable(9, for: queue.worker, queues: ["other"]).map(\.id) == [other])
        #expect(try await queue.store.claimAvailable(9, for: queue.worker).map(\.id) == [usual])
    }

    @Test func `a claim from behind the last one passes by what came in front, and finds it when nothing else is left`()
        async throws
    {
        let queue = try await QueueFixture.make()
        try await queue.insert(3)
        var ids: [JobID] = []
        var place: QueuePlace?
        func claim() async throws {
            let claims = try await queue.store.claimAvailable(1, for: queue.worker, behind: place)
            place = claims.first?.place
            ids += claims.map(\.id)
        }
        try await claim()
        let urgent = try await queue.store.submit(
            JobRequest(kind: .train, args: JSONDocument(text: #"{"dataset": "a"}"#), priority: 5))
        let idle = try await queue.store.submit(
            JobRequest(kind: .train, args: JSONDocument(text: #"{"dataset": "a"}"#), priority: -5))
        for _ in 0..<5 { try await claim() }
        #expect(ids == [JobID(1), JobID(2), JobID(3), urgent, idle])
        #expect(place == nil)
    }

    @Test func `an old token can do nothing once somebody else has the job`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        // 1. A worker claims and falls silent. 2. The job is rescued. 3. Another claims it. 4. The first wakes up.
        let zombie = try await queue.claimOne()
        try await queue.silence(queue.worker)
        #expect(try await queue.store.rescueAbandoned() == [RescuedJob(lease: zombie.lease, state: .available)])
        let other = try await queue.store.registerWorker(WorkerRegistration(slots: 1))
        let claim = try #require(try await queue.store.claimAvailable(1, for: other).first)
        #expect(claim.id == zombie.id)
        #expect(claim.lease.token > zombie.lease.token)

        #expect(try await !queue.store.holds(zombie.lease))
        #expect(try await !queue.store.recordLog(zombie.lease, path: "/log"))
        #expect(try await !queue.store.reportProgress(zombie.lease, fraction: 0.5, message: nil))
        #expect(try await !queue.store.complete(zombie.lease, result: nil, outputPath: "/wrong"))
        #expect(try await queue.store.fail(zombie.lease, reason: .error, error: "late") == .leaseLost)
        #expect(try await !queue.store.cancelRunning(zombie.lease))
        #expect(try await !queue.store.release(zombie.lease))
        #expect(try await !queue.store.heartbeat(queue.worker).isAlive)
        #expect(try await queue.store.claimAvailable(1, for: queue.worker).isEmpty)

        #expect(try await queue.store.holds(claim.lease))
        #expect(try await queue.store.complete(claim.lease, result: nil, outputPath: "/right"))
        let job = try #require(try await queue.store.job(claim.id))
        #expect(job.state == .completed && job.outputPath == "/right" && job.progress == 1)
        #expect(try await !queue.store.complete(claim.lease, result: nil, outputPath: "/again"))
    }

    @Test func `progress, log, result and usage end up where people look`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        let claim = try await queue.claimOne()
        #expect(try await queue.store.recordLog(claim.lease, path: "/logs/1.1.log"))
        #expect(try await queue.store.reportProgress(claim.lease, fraction: 7, message: "epoch 1 of 3"))
        #expect(try await queue.store.reportProgress(claim.lease, fraction: 0.25, message: nil))
        let shown = try await queue.database.query("SELECT * FROM shufflenet.jobs_running")[0]
        #expect(try shown.decode("percent", as: Double.self) == 25)
        #expect(try shown.decode("progress_message", as: String.self) == "epoch 1 of 3")
        let usage = AttemptUsage(cpuTime: .milliseconds(1500), peakMemoryBytes: 1 << 33)
        #expect(
            try await queue.store.complete(
                claim.lease, result: JSONDocument(text: #"{"top_1": 0.5}"#), outputPath: "/results/1", usage: usage))
        let attempt = try #require(try await queue.store.attempts(of: claim.id).first)
        #expect(attempt.logPath == "/logs/1.1.log")
        #expect(attempt.cpuTime == .milliseconds(1500))
        #expect(attempt.peakMemoryBytes == 1 << 33)
        #expect(attempt.reason == nil && attempt.finishedAt != nil)
        #expect(try await queue.store.job(claim.id)?.result == JSONDocument(text: #"{"top_1": 0.5}"#))
    }

    @Test func `every change of state leaves an event`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        let first = try await queue.claimOne()
        _ = try await queue.store.fail(first.lease, reason: .error, error: "no luck")
        try await queue.makeDue()
        let second = try await queue.claimOne()
        _ = try await queue.store.complete(second.lease, result: nil, outputPath: nil)
        let events = try await queue.store.events(of: first.id)
        #expect(events.map(\.from) == [nil, .available, .running, .available, .running])
        #expect(events.map(\.to) == [.available, .running, .available, .running, .completed])
        #expect(events.map(\.reason) == [nil, nil, .error, nil, nil])
        #expect(events.map(\.attempt) == [0, 1, 1, 2, 2])
        #expect(events[2].message == "no luck")
        #expect(events.allSatisfy { $0.actor == PrivateCluster.owner })
    }
}
