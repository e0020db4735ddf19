import Foundation
import JobQueue
import Postgres
import TestSupport
import Testing

@Suite struct EndingTests {
    @Test func `a failure is tried again, later and later, until the attempts are spent`() async throws {
        var queue = try await QueueFixture.make()
        var store = queue.store
        store.retryPolicy = RetryPolicy(backoff: Backoff(first: .seconds(100), cap: .seconds(150), jitter: 0))
        queue = QueueFixture(test: queue.test, store: store, worker: queue.worker)
        try await queue.insert()
        for (attempt, wait) in [(1, 100.0), (2, 150)] {
            let claim = try await queue.claimOne()
            #expect(claim.job.attempt == attempt)
            guard case .retrying(let time) = try await store.fail(claim.lease, reason: .error, error: "e\(attempt)")
            else {
                Issue.record("attempt \(attempt) was not to be the last")
                return
            }
            #expect(abs(time.timeIntervalSinceNow - wait) < 30)
            #expect(try await store.claimAvailable(1, for: queue.worker).isEmpty)
            try await queue.makeDue()
        }
        let last = try await queue.claimOne()
        #expect(try await store.fail(last.lease, reason: .timeout, error: "e3") == .failed)
        let job = try #require(try await store.job(last.id))
        #expect(job.state == .failed && job.reason == .timeout && job.error == "e3" && job.finishedAt != nil)
        #expect(try await store.attempts(of: last.id).map(\.error) == ["e1", "e2", "e3"])
        #expect(try await queue.database.query("SELECT id FROM shufflenet.jobs_failures").count == 1)
    }

    @Test func `bad input is never tried again`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        let claim = try await queue.claimOne()
        #expect(try await queue.store.fail(claim.lease, reason: .badInput, error: "no such data set") == .failed)
        #expect(try await queue.store.job(claim.id)?.reason == .badInput)
    }

    @Test func `three crashes hold a job, and spend no attempt`() async throws {
        let queue = try await QueueFixture.make()
        _ = try await queue.store.submit(
            JobRequest(kind: .train, args: JSONDocument(text: #"{"dataset": "a"}"#), maxAttempts: 2))
        // 1. A crash. 2. A failure, of which two are allowed. 3. and 4. two more crashes.
        for (reason, next) in [
            (FailureReason.workerCrash, JobState.available), (.error, .available), (.workerCrash, .available),
            (.workerCrash, .held),
        ] {
            let claim = try await queue.claimOne()
            _ = try await queue.store.fail(claim.lease, reason: reason, error: "went down")
            #expect(try await queue.store.job(claim.id)?.state == next)
            try await queue.makeDue()
        }
        #expect(try await queue.store.claimAvailable(1, for: queue.worker).isEmpty)
        let job = try #require(try await queue.store.jobs(states: [.held]).first)
        #expect(job.crashCount == 3 && job.attempt == 4 && job.reason == .workerCrash)
        try await queue.store.retry(job.id)
        let claim = try await queue.claimOne()
        #expect(try await queue.store.job(claim.id)?.crashCount == 0)
        #expect(claim.job.attempt == 5)
        guard case .retrying = try await queue.store.fail(claim.lease, reason: .error, error: "x") else {
            Issue.record("retry() was to count the attempts anew")
            return
        }
    }

    @Test func `a job that is let go after crashes has no attempt less`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        for _ in 0..<3 {
            let claim = try await queue.claimOne()
            _ = try await queue.store.fail(claim.lease, reason: .workerCrash, error: "went down")
            try await queue.makeDue()
        }
        try await queue.store.letGo(try #require(try await queue.store.jobs(states: [.held]).first).id)
        for last in [false, false, true] {
            let claim = try await queue.claimOne()
            let outcome = try await queue.store.fail(claim.lease, reason: .error, error: "x")
            #expect((outcome == .failed) == last)
            try await queue.makeDue()
        }
    }

    @Test func `a drain gives the job back with its attempt, ready at once`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        for round in 1...5 {
            let claim = try await queue.claimOne()
            #expect(claim.job.attempt == 1)
            #expect(try await queue.store.release(claim.lease))
            let job = try #require(try await queue.store.job(claim.id))
            #expect(job.state == .available && job.preemptCount == round && job.attempt == 0 && job.crashCount == 0)
        }
        let claim = try await queue.claimOne()
        #expect(
            try await queue.store.attempts(of: claim.id).map(\.reason) == Array(repeating: .preempted, count: 5) + [nil]
        )
    }

    @Test func `a cancel that was asked for wins over retry, release and rescue`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert(3)
        let claims = try await queue.store.claimAvailable(3, for: queue.worker)
        for claim in claims { #expect(try await queue.store.cancel(claim.id) == .cancelling) }
        #expect(try await queue.store.fail(claims[0].lease, reason: .error, error: "x") == .cancelled)
        #expect(try await queue.store.release(claims[1].lease))
        try await queue.silence(queue.worker)
        #expect(try await queue.store.rescueAbandoned() == [RescuedJob(lease: claims[2].lease, state: .cancelled)])
        let jobs = try await queue.store.jobs()
        #expect(jobs.allSatisfy { $0.state == .cancelled && $0.reason == .cancelled && $0.finishedAt != nil })
    }

    @Test func `retry refuses what is not failed, cancelled or held`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        let claim = try await queue.claimOne()
        let error = await #expect(throws: PostgresError.self) { try await queue.store.retry(claim.id) }
        #expect(error?.message.contains("is running, wanted failed, cancelled or held") == true)
    }
}
