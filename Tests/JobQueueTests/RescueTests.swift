import Foundation
import JobQueue
import Postgres
import TestSupport
import Testing

@Suite struct RescueTests {
    @Test func `a worker that beats keeps its jobs, a silent one loses them`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert(2)
        let other = try await queue.store.registerWorker(WorkerRegistration(slots: 1))
        let kept = try await queue.claimOne()
        let lost = try #require(try await queue.store.claimAvailable(1, for: other).first)
        #expect(try await queue.store.rescueAbandoned().isEmpty)
        try await queue.silence(queue.worker)
        #expect(try await queue.store.heartbeat(queue.worker).holdings.map(\.lease) == [kept.lease])
        try await queue.silence(other)
        #expect(try await queue.store.rescueAbandoned() == [RescuedJob(lease: lost.lease, state: .available)])
        let job = try #require(try await queue.store.job(lost.id))
        #expect(
            job.lossCount == 1 && job.crashCount == 0 && job.reason == .leaseLost
                && job.error?.contains("was lost") == true)
        #expect(try await queue.store.workers().map(\.id) == [queue.worker])
    }

    /// The fixture's worker of the usual silence, and one on either side of it.
    @Test func `how long a silence means death is what each worker said of itself`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert(3)
        func register(_ silence: Duration) async throws -> WorkerID {
            try await queue.store.registerWorker(WorkerRegistration(slots: 1, deadAfter: silence))
        }
        let (patient, hasty) = (try await register(.seconds(3600)), try await register(.seconds(9)))
        let workers = [queue.worker, patient, hasty]
        var claims: [ClaimedJob] = []
        for worker in workers { claims += try await queue.store.claimAvailable(1, for: worker) }
        let living = "SELECT id FROM shufflenet.live_workers ORDER BY id"
        func alive() async throws -> [WorkerID] {
            try await queue.database.query(living).map { WorkerID(try $0.decode("id")) }
        }
        #expect(try await alive() == workers)
        try await queue.database.query(
            "UPDATE shufflenet.workers SET last_heartbeat = clock_timestamp() - interval '15 seconds'")
        #expect(try await alive() == Array(workers[...1]))
        #expect(try await queue.store.rescueAbandoned().map(\.lease) == [claims[2].lease])
        for worker in workers[...1] { try await queue.silence(worker) }
        #expect(try await alive() == [workers[1]])
        #expect(try await queue.store.isServed())
        #expect(try await queue.store.rescueAbandoned().map(\.lease) == [claims[0].lease])
        #expect(try await queue.store.holds(claims[1].lease))
    }

    @Test func `many who rescue at once take each job back once`() async throws {
        let queue = try await QueueFixture.make(capacity: 8)
        try await queue.insert(40)
        let claims = try await queue.store.claimAvailable(40, for: queue.worker)
        try await queue.silence(queue.worker)
        let rescued = try await withThrowingTaskGroup(of: [RescuedJob].self) { group in
            for _ in 0..<8 { group.addTask { try await queue.store.rescueAbandoned() } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(rescued.map(\.lease)) == Set(claims.map(\.lease)))
        #expect(rescued.count == 40)
        #expect(try await queue.store.jobs(limit: 100).allSatisfy { $0.lossCount == 1 })
    }

    @Test func `a job whose worker was lost ten times is held, and no crash or attempt is spent on that`() async throws
    {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        for state in Array(repeating: JobState.available, count: 9) + [.held] {
            let worker = try await queue.store.registerWorker(WorkerRegistration(slots: 1))
            let claim = try #require(try await queue.store.claimAvailable(1, for: worker).first)
            try await queue.silence(worker)
            #expect(try await queue.store.rescueAbandoned() == [RescuedJob(lease: claim.lease, state: state)])
        }
    }

    @Test func `after a restart on the same machine the jobs of the dead process come back at once`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert(2)
        let process = ProcessIdentity.current()
        // A process that has ended: its pid is beyond any that Linux gives out.
        var dead = process
        dead.pid = 1 << 30
        let worker = try await queue.store.registerWorker(WorkerRegistration(process: dead, slots: 1))
        let lost = try #require(try await queue.store.claimAvailable(1, for: worker).first)
        let kept = try await queue.claimOne()
        #expect(
            try await queue.store.rescueDeadNeighbours(of: process) == [
                RescuedJob(lease: lost.lease, state: .available)
            ])
        #expect(try await queue.store.holds(kept.lease))
        #expect(try await queue.store.rescueDeadNeighbours(of: process).isEmpty)
    }

    @Test func `who is gone is known only where it can be known`() {
        let here = ProcessIdentity(host: "h", machineID: "m", bootID: "b", pidNamespace: "n", pid: 7, started: 70)
        func knows(_ change: (inout ProcessIdentity) -> Void, alive: Int64?) -> Bool {
            var other = here
            change(&other)
            return here.knowsIsGone(other) { _ in alive }
        }
        #expect(knows({ _ in }, alive: nil))
        #expect(!knows({ _ in }, alive: 70))
        #expect(knows({ _ in }, alive: 71), "the pid belongs to another process by now")
        #expect(!knows({ $0.started = 0 }, alive: 71), "nobody knows when it was started")
        #expect(knows({ $0.bootID = "older" }, alive: 70))
        #expect(!knows({ $0.pidNamespace = "container" }, alive: nil))
        #expect(!knows({ $0.host = "elsewhere" }, alive: nil))
        #expect(!knows({ $0.machineID = "twin" }, alive: nil))
        let me = ProcessIdentity.current()
        #expect(!me.knowsIsGone(me))
        #expect(me.started > 0 && !me.bootID.isEmpty && !me.pidNamespace.isEmpty)
    }

    @Test func `a worker that says goodbye is gone, and what it left is rescued`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        let claim = try await queue.claimOne()
        try await queue.store.retireWorker(queue.worker)
        #expect(try await !queue.store.heartbeat(queue.worker).isAlive)
        #expect(try await queue.store.rescueAbandoned().map(\.lease) == [claim.lease])
    }
}

@Suite struct LeaseAuditTests {
    private func lease(_ number: Int64) -> Lease { Lease(job: JobID(number), token: LeaseToken(number)) }

    private func beat(_ numbers: [Int64], cancel: Set<Int64> = []) -> Heartbeat {
        Heartbeat(
            isAlive: true, holdings: numbers.map { .init(lease: lease($0), cancelRequested: cancel.contains($0)) })
    }

    @Test func `what is held on both sides raises nothing`() {
        var audit = LeaseAudit()
        #expect(
            audit.compare(beat([1, 2]), heldBefore: [lease(1), lease(2)], heldNow: [lease(1), lease(2)]) == .init())
    }

    @Test func `a lease the database gave away is lost, one claimed or ended meanwhile is not`() {
        var audit = LeaseAudit()
        // 1 was taken away; 2 ended between question and answer; 3 was claimed after the question.
        let findings = audit.compare(beat([]), heldBefore: [lease(1), lease(2)], heldNow: [lease(1), lease(3)])
        #expect(findings == .init(lost: [lease(1)]))
    }

    @Test func `a lease nobody works on is a stranger at the second beat, not at the first`() {
        var audit = LeaseAudit()
        #expect(audit.compare(beat([1]), heldBefore: [], heldNow: []).strangers.isEmpty)
        #expect(audit.compare(beat([1, 2]), heldBefore: [], heldNow: []).strangers == [lease(1)])
        #expect(audit.compare(beat([2]), heldBefore: [], heldNow: [lease(2)]).strangers.isEmpty)
    }

    @Test func `a worker declared dead has lost everything`() {
        var audit = LeaseAudit()
        let dead = Heartbeat(isAlive: false, holdings: [])
        #expect(audit.compare(dead, heldBefore: [], heldNow: [lease(1)]).lost == [lease(1)])
    }

    @Test func `cancel requests are passed on`() {
        var audit = LeaseAudit()
        let findings = audit.compare(
            beat([1, 2], cancel: [2]), heldBefore: [lease(1), lease(2)], heldNow: [lease(1), lease(2)])
        #expect(findings == .init(cancelRequested: [lease(2)]))
    }
}
