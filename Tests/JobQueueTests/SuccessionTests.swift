import Glibc
import JobQueue
import Postgres
import TestSupport
import Testing

/// A completion that claims the next job in the same transaction.
@Suite struct SuccessionTests {
    private func complete(
        _ claim: ClaimedJob, in queue: QueueFixture, behind place: QueuePlace? = nil
    ) async throws -> Succession {
        try await queue.store.complete(
            claim.lease, result: JSONDocument(text: #"{"n": 1}"#), outputPath: "/o",
            claiming: NextClaim(for: queue.worker, behind: place))
    }

    @Test("completes one job and claims the next in one transaction, job after job", arguments: [false, true])
    func chain(behindPlace: Bool) async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert(3)
        try await queue.test.recordStateChanges()
        var claim = try await queue.claimOne()
        for id in 2...3 {
            let succession = try await complete(claim, in: queue, behind: behindPlace ? claim.place : nil)
            #expect(succession.isCompleted)
            let next = try #require(succession.next)
            #expect(next.id == JobID(Int64(id)) && next.job.attempt == 1 && next.job.kind == .train)
            #expect(next.lease.token > claim.lease.token)
            #expect(try await queue.store.holds(next.lease))
            claim = next
        }
        let last = try await complete(claim, in: queue, behind: behindPlace ? claim.place : nil)
        #expect(last.isCompleted && last.next == nil)
        #expect(try await queue.test.handovers() == 2)
        let jobs = try await queue.store.jobs(states: [.completed])
        #expect(jobs.count == 3)
        for job in jobs {
            #expect(job.result == JSONDocument(text: #"{"n": 1}"#) && job.outputPath == "/o" && job.progress == 1)
            let states = try await queue.store.events(of: job.id).map(\.to)
            #expect(states == [.available, .running, .completed])
        }
    }

    @Test("a lost lease completes nothing, and the claim is good all the same")
    func lostLease() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert(2)
        let claim = try await queue.claimOne()
        #expect(try await queue.store.release(claim.lease))
        let zombie = try await complete(claim, in: queue)
        #expect(!zombie.isCompleted)
        let next = try #require(zombie.next)
        #expect(next.id == claim.id && next.lease != claim.lease)
        #expect(try await queue.store.job(claim.id)?.state == .running)
    }

    @Test("what keeps the claim from being made does not cost the completion")
    func failingClaim() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert(2)
        let claim = try await queue.claimOne()
        try await queue.database.query(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no more claims'; END $$
            """)
        try await queue.database.query(
            """
            CREATE TRIGGER refuse BEFORE UPDATE ON shufflenet.jobs FOR EACH ROW
                WHEN (NEW.state = 'running') EXECUTE FUNCTION refuse()
            """)
        let succession = try await complete(claim, in: queue)
        #expect(succession.isCompleted && succession.next == nil)
        #expect(try await queue.store.job(claim.id)?.state == .completed)
        #expect(try await queue.store.job(JobID(2))?.state == .available)
    }

    @Test("takes nothing that has a concurrency key, and nothing for a worker that is gone or from a paused queue")
    func declined() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert(5)
        try await queue.database.query("UPDATE shufflenet.jobs SET concurrency_key = 'k' WHERE id = 4")
        let claims = try await queue.store.claimAvailable(3, for: queue.worker)
        #expect(claims.count == 3)
        let keyed = try await complete(claims[0], in: queue)
        #expect(keyed.isCompleted && keyed.next == nil)
        try await queue.store.pauseQueue("default")
        let paused = try await complete(claims[1], in: queue)
        #expect(paused.isCompleted && paused.next == nil)
        #expect(try await queue.store.resumeQueue("default"))
        try await queue.store.retireWorker(queue.worker)
        let retired = try await complete(claims[2], in: queue)
        #expect(retired.next == nil)
        #expect(try await queue.store.jobs(states: [.available]).map(\.id).contains(JobID(5)))
    }

    @Test("a job that waited for the completed one may be the next")
    func dependants() async throws {
        let queue = try await QueueFixture.make()
        let first = try await queue.store.submit(
            JobRequest(kind: .train, args: JSONDocument(text: #"{"dataset": "a"}"#)))
        let second = try await queue.store.submit(
            JobRequest(kind: .train, args: JSONDocument(text: #"{"dataset": "a"}"#), after: [first]))
        let claim = try await queue.claimOne()
        let succession = try await complete(claim, in: queue)
        #expect(succession.isCompleted && succession.next?.id == second)
    }

    @Test("a completion that has to wait for its own row holds no other row meanwhile")
    func lockOrder() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert(2)
        let claim = try await queue.claimOne()
        let (completion, isFree) = try await queue.database.withConnection { holder in
            // As a claim does that finds the job in a snapshot from before it was taken.
            try holder.script("BEGIN; SELECT FROM shufflenet.jobs WHERE id = 1 FOR UPDATE")
            let completion = Task { try await complete(claim, in: queue) }
            let end = ContinuousClock.now + .seconds(20)
            while try !holder.isWaitedFor(), ContinuousClock.now < end { usleep(1000) }
            let next = try holder.query("SELECT FROM shufflenet.jobs WHERE id = 2 FOR UPDATE SKIP LOCKED")
            try holder.script("COMMIT")
            return (completion, !next.isEmpty)
        }
        #expect(isFree)
        let succession = try await completion.value
        #expect(succession.isCompleted && succession.next?.id == JobID(2))
    }

    @Test("many slots that hand over to one another do every job once")
    func race() async throws {
        let queue = try await QueueFixture.make(capacity: 8)
        try await queue.insert(200)
        let done = try await withThrowingTaskGroup(of: [JobID].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var ids: [JobID] = []
                    var next = try await queue.store.claimAvailable(1, for: queue.worker).first
                    while let claim = next {
                        let succession = try await complete(claim, in: queue, behind: claim.place)
                        #expect(succession.isCompleted)
                        ids.append(claim.id)
                        next = succession.next
                        if next == nil { next = try await queue.store.claimAvailable(1, for: queue.worker).first }
                    }
                    return ids
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(done.count == 200 && Set(done).count == 200)
        #expect(try await queue.store.jobs(states: [.completed], limit: 300).count == 200)
    }
}
