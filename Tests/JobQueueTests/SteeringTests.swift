import Foundation
import JobQueue
import Postgres
import TestSupport
import Testing

@Suite struct SteeringTests {
    private func request(
        after: [JobID] = [], key: String? = nil, name: String? = nil, kind: JobKind = .train
    ) -> JobRequest {
        let args = kind == .classify ? #"{"images": "a", "model": "m"}"# : #"{"dataset": "a"}"#
        return JobRequest(
            kind: kind, args: JSONDocument(text: args), name: name, concurrencyKey: key, after: after)
    }

    @Test func `of one concurrency key one job runs at a time, whoever claims`() async throws {
        let queue = try await QueueFixture.make(capacity: 8)
        var keyed: Set<JobID> = []
        for _ in 0..<20 { keyed.insert(try await queue.store.submit(request(key: "gpu"))) }
        for _ in 0..<4 { _ = try await queue.store.submit(request()) }
        let claims = try await withThrowingTaskGroup(of: [ClaimedJob].self) { group in
            for _ in 0..<8 { group.addTask { try await queue.store.claimAvailable(30, for: queue.worker) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let rest = try await queue.store.claimAvailable(30, for: queue.worker)
        #expect((claims + rest).filter { keyed.contains($0.id) }.count == 1)
        #expect((claims + rest).count == 5)
        let first = try #require((claims + rest).first { keyed.contains($0.id) })
        #expect(try await queue.store.complete(first.lease, result: nil, outputPath: nil))
        let next = try await queue.store.claimAvailable(30, for: queue.worker)
        #expect(next.count == 1 && keyed.contains(next[0].id), "the key is free again")
    }

    @Test func `a job waits until those before it have completed`() async throws {
        let queue = try await QueueFixture.make()
        let train = try await queue.store.submit(request())
        let other = try await queue.store.submit(request())
        let evaluate = try await queue.store.submit(request(after: [train, other]))
        #expect(try await queue.store.job(evaluate)?.waitsFor == 2)
        let claims = try await queue.store.claimAvailable(9, for: queue.worker)
        #expect(Set(claims.map(\.id)) == [train, other])
        for claim in claims {
            #expect(try await queue.store.claimAvailable(9, for: queue.worker).isEmpty)
            #expect(try await queue.store.complete(claim.lease, result: nil, outputPath: nil))
        }
        #expect(try await queue.claimOne().id == evaluate)
    }

    @Test func `jobs that complete at the same moment let go the one that waits for all of them`() async throws {
        let queue = try await QueueFixture.make(capacity: 8)
        var earlier: [JobID] = []
        for _ in 0..<16 { earlier.append(try await queue.store.submit(request())) }
        let last = try await queue.store.submit(request(after: earlier))
        let claims = try await queue.store.claimAvailable(16, for: queue.worker)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for claim in claims {
                group.addTask { _ = try await queue.store.complete(claim.lease, result: nil, outputPath: nil) }
            }
            try await group.waitForAll()
        }
        #expect(try await queue.claimOne().id == last)
    }

    @Test func `if one before it fails or is cancelled, a job is cancelled with the reason, and its own followers too`()
        async throws
    {
        let queue = try await QueueFixture.make()
        let train = try await queue.store.submit(request())
        let evaluate = try await queue.store.submit(request(after: [train]))
        let classify = try await queue.store.submit(request(after: [evaluate]))
        let claim = try await queue.claimOne()
        #expect(try await queue.store.fail(claim.lease, reason: .badInput, error: "no") == .failed)
        let job = try #require(try await queue.store.job(evaluate))
        #expect(job.state == .cancelled && job.error == "job \(train), which it waited for, is failed")
        #expect(try await queue.store.job(classify)?.state == .cancelled)
        await #expect(throws: PostgresError.self) { try await queue.store.retry(evaluate) }
        try await queue.store.retry(train)
        try await queue.store.retry(evaluate)
        #expect(try await queue.claimOne().id == train)
        #expect(try await queue.store.claimAvailable(9, for: queue.worker).isEmpty)
        await #expect(throws: PostgresError.self) { try await queue.store.submit(request(after: [JobID(4711)])) }
    }

    @Test func `a job with a key comes in its turn, and does not hold up those behind it while its key is in use`()
        async throws
    {
        let queue = try await QueueFixture.make()
        let first = try await queue.store.submit(request(key: "k"))
        let second = try await queue.store.submit(request(key: "k"))
        try await queue.insert(2)
        let claim = try await queue.claimOne()
        #expect(claim.id == first)
        #expect(try await queue.claimOne().job.name == nil)
        #expect(try await queue.store.claimAvailable(9, for: queue.worker, behind: claim.place).count == 1)
        #expect(try await queue.store.complete(claim.lease, result: nil, outputPath: nil))
        #expect(try await queue.claimOne().id == second)
    }

    @Test func `jobs that are claimed together come in their order, those with a key too, and of each key one`()
        async throws
    {
        let queue = try await QueueFixture.make()
        var ids: [JobID] = []
        for index in 0..<30 {
            ids.append(try await queue.store.submit(request(key: [3, 4, 17].contains(index) ? "k" : nil)))
        }
        let urgent = try await queue.store.submit(
            JobRequest(kind: .train, args: JSONDocument(text: #"{"dataset": "a"}"#), priority: 5))
        let claims = try await queue.store.claimAvailable(13, for: queue.worker)
        #expect(claims.map(\.id) == [urgent] + ids[0...3] + ids[5...12])
        let place = try #require(claims.last).place
        let rest = try await queue.store.claimAvailable(99, for: queue.worker, behind: place)
        #expect(rest.map(\.id) == Array(ids[13...16] + ids[18...]))
        #expect(Set((claims + rest).map(\.lease.token)).count == 29)
        #expect(try await queue.store.complete(claims[4].lease, result: nil, outputPath: nil))
        #expect(try await queue.store.claimAvailable(99, for: queue.worker).map(\.id) == [ids[4]])
    }

    @Test func `nothing is claimed from a paused queue until it goes on`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        try await queue.store.pauseQueue("default", note: "maintenance")
        try await queue.store.pauseQueue("default")
        #expect(try await queue.store.claimAvailable(9, for: queue.worker, queues: ["default", "other"]).isEmpty)
        #expect(try await queue.store.resumeQueue("default"))
        #expect(try await !queue.store.resumeQueue("default"))
        #expect(try await queue.store.claimAvailable(9, for: queue.worker).count == 1)
    }

    @Test func `a worker that comes while queues are paused takes nothing from them either`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        try await queue.store.pauseQueue("default")
        try await queue.store.pauseQueue("other")
        let late = try await queue.store.registerWorker(WorkerRegistration(slots: 1))
        #expect(try await queue.store.claimAvailable(9, for: late).isEmpty)
        #expect(try await queue.store.resumeQueue("other"))
        #expect(try await queue.store.claimAvailable(9, for: late).isEmpty)
        try await queue.database.query("DELETE FROM shufflenet.paused_queues")
        #expect(try await queue.store.claimAvailable(9, for: late).count == 1)
    }

    /// 1. One pause has written its row and not committed.
    /// 2. A second pause and a registration begin: they see nothing of the first, and the pause waits for it.
    /// 3. The first commits. Both must know of it all the same.
    @Test func `pauses and registrations at the same moment miss nothing of one another`() async throws {
        let queue = try await QueueFixture.make(capacity: 6)
        let store = queue.store
        let late = try await queue.database.withConnection { connection in
            try connection.script("BEGIN; SELECT shufflenet.pause_queue('first')")
            let pause = Task { try await store.pauseQueue("second") }
            let registration = Task { try await store.registerWorker(WorkerRegistration(slots: 1)) }
            let waiting = """
                SELECT count(*) AS n FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
                WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted
                """
            while try connection.query(waiting)[0].decode("n", as: Int.self) < 1 {}
            try connection.script("COMMIT")
            return (pause, registration)
        }
        try await late.0.value
        let workers = [queue.worker, try await late.1.value]
        for paused in ["first", "second"] {
            let job = JobRequest(kind: .train, args: JSONDocument(text: #"{"dataset": "a"}"#), queue: paused)
            _ = try await store.submit(job)
            for worker in workers {
                #expect(try await store.claimAvailable(9, for: worker, queues: [paused]).isEmpty)
            }
        }
    }

    @Test func `limits of cores and memory are in the claim, and nonsense is refused`() async throws {
        let queue = try await QueueFixture.make()
        var wanted = request()
        wanted.cores = 3
        wanted.memoryLimit = 1 << 30
        _ = try await queue.store.submit(wanted)
        let job = try await queue.claimOne().job
        #expect(job.cores == 3 && job.memoryLimit == 1 << 30)
        wanted.memoryLimit = 5
        await #expect(throws: PostgresError.self) { try await queue.store.submit(wanted) }
    }
}

@Suite struct ShardTests {
    private func make(_ queue: QueueFixture, shards: Int = 3) async throws -> JobID {
        try await queue.store.submit(
            JobRequest(
                kind: .classify, args: JSONDocument(text: #"{"images": "a", "model": "m", "shards": \#(shards)}"#)))
    }

    @Test func `a job with shards is an array of jobs and the one that comes after them`() async throws {
        let queue = try await QueueFixture.make()
        let parent = try await make(queue)
        let parts = try await queue.store.shards(of: parent)
        #expect(parts.map(\.shard) == [1, 2, 3])
        #expect(parts.allSatisfy { $0.shards == 3 && $0.args.text == #"{"model": "m", "images": "a"}"# })
        let claims = try await queue.store.claimAvailable(9, for: queue.worker)
        #expect(claims.map(\.id) == parts.map(\.id))
        for claim in claims { #expect(try await queue.store.complete(claim.lease, result: nil, outputPath: "/o")) }
        let merge = try await queue.claimOne()
        #expect(merge.id == parent && merge.job.shards == 3 && merge.job.shard == nil)
    }

    @Test func `a part that fails ends the whole with its reason, and a retry begins all of it anew`()
        async throws
    {
        let queue = try await QueueFixture.make()
        let parent = try await make(queue)
        let claims = try await queue.store.claimAvailable(2, for: queue.worker)
        #expect(try await queue.store.complete(claims[0].lease, result: nil, outputPath: "/o"))
        #expect(try await queue.store.fail(claims[1].lease, reason: .badInput, error: "no such model") == .failed)
        let job = try #require(try await queue.store.job(parent))
        #expect(job.state == .failed && job.reason == .badInput)
        #expect(job.error?.contains("shard 2 of 3") == true && job.error?.contains("no such model") == true)
        #expect(try await queue.store.shards(of: parent).map(\.state) == [.completed, .failed, .cancelled])
        try await queue.store.retry(parent)
        let again = try await queue.store.claimAvailable(9, for: queue.worker)
        #expect(again.map(\.job.shard) == [1, 2, 3])
        #expect(try await queue.store.shards(of: parent).allSatisfy { $0.outputPath == nil })
        for claim in again { #expect(try await queue.store.complete(claim.lease, result: nil, outputPath: "/new")) }
        #expect(try await queue.store.shards(of: parent).allSatisfy { $0.outputPath == "/new" })
        let first = try #require(again.first)
        #expect(try await queue.store.winner(of: first.id) == first.lease.token)
        #expect(
            try await queue.store.events(of: first.id).map(\.to)
                == [.available, .running, .completed, .available, .running, .completed])
        let merge = try await queue.claimOne()
        #expect(merge.id == parent)
        // The parts were of two models, say: to have them put together, they must all be made again.
        #expect(try await queue.store.fail(merge.lease, reason: .badInput, error: "another model") == .failed)
        try await queue.store.retry(parent)
        #expect(try await queue.store.claimAvailable(9, for: queue.worker).count == 3)
    }

    @Test func `a retry of a held job with shards goes on from those that are complete`() async throws {
        let queue = try await QueueFixture.make()
        let parent = try await make(queue)
        let claim = try await queue.claimOne()
        #expect(try await queue.store.complete(claim.lease, result: nil, outputPath: "/o"))
        try await queue.store.hold(parent)
        try await queue.store.retry(parent)
        #expect(try await queue.store.claimAvailable(9, for: queue.worker).map(\.job.shard) == [2, 3])
    }

    @Test func `cancelling the whole cancels its parts, waiting and running`() async throws {
        let queue = try await QueueFixture.make()
        let parent = try await make(queue)
        let claim = try await queue.claimOne()
        #expect(try await queue.store.cancel(parent) == .cancelled)
        #expect(try await queue.store.shards(of: parent).map(\.state) == [.running, .cancelled, .cancelled])
        #expect(try await queue.store.heartbeat(queue.worker).cancelRequests == [claim.lease])
        let early = await #expect(throws: PostgresError.self) { try await queue.store.retry(parent) }
        #expect(early?.message.contains("still stopping") == true)
        #expect(try await queue.store.cancelRunning(claim.lease))
        try await queue.store.retry(parent)
        #expect(try await queue.store.shards(of: parent).allSatisfy { $0.state == .available })
    }

    @Test func `a part that ends while somebody cancels the whole gives way, and ends after that`() async throws {
        let queue = try await QueueFixture.make()
        let parent = try await make(queue)
        let claim = try await queue.claimOne()
        let ending = try await queue.database.withConnection { person in
            // As the function does at first.
            try person.script("BEGIN; SELECT shufflenet.locked_job(\(parent))")
            let ending = Task { try await queue.store.complete(claim.lease, result: nil, outputPath: "/o") }
            let end = ContinuousClock.now + .seconds(20)
            while try !person.isWaitedFor(), ContinuousClock.now < end { usleep(1000) }
            // Now each would wait for the other.
            try person.script("SELECT shufflenet.cancel(\(parent)); COMMIT")
            return ending
        }
        let error = await #expect(throws: PostgresError.self) { _ = try await ending.value }
        #expect(error?.sqlState.rawValue == "55P03" && error?.isPassing == true)
        #expect(try await queue.store.complete(claim.lease, result: nil, outputPath: "/o"))
        #expect(try await queue.store.shards(of: parent).map(\.state) == [.completed, .cancelled, .cancelled])
        #expect(try await queue.store.job(parent)?.state == .cancelled)
    }

    @Test func `a job with shards is held and released with those that wait, and one that comes back is kept as well`()
        async throws
    {
        let queue = try await QueueFixture.make()
        let parent = try await make(queue)
        let claims = try await queue.store.claimAvailable(2, for: queue.worker)
        try await queue.store.hold(parent)
        #expect(try await queue.store.shards(of: parent).map(\.state) == [.running, .running, .held])
        #expect(try await queue.store.release(claims[0].lease))
        #expect(try await queue.store.complete(claims[1].lease, result: nil, outputPath: "/o"))
        #expect(try await queue.store.shards(of: parent).map(\.state) == [.held, .completed, .held])
        #expect(try await queue.store.claimAvailable(9, for: queue.worker).isEmpty)
        try await queue.store.letGo(parent)
        let rest = try await queue.store.claimAvailable(9, for: queue.worker)
        #expect(rest.map(\.job.shard) == [1, 3])
        // Of a job that is not held they go back to the queue as ever.
        #expect(try await queue.store.release(rest[0].lease))
        for claim in [try await queue.claimOne(), rest[1]] {
            #expect(try await queue.store.complete(claim.lease, result: nil, outputPath: "/o"))
        }
        #expect(try await queue.claimOne().id == parent)
    }

    private func submit(_ queue: QueueFixture, key: String, shards: Int? = nil) async throws -> JobID {
        let args = #"{"images": "a", "model": "m"\#(shards.map { #", "shards": \#($0)"# } ?? "")}"#
        return try await queue.store.submit(
            JobRequest(kind: .classify, args: JSONDocument(text: args), concurrencyKey: key))
    }

    @Test func `a concurrency key is the whole job's: its parts run together, and nobody else beside them`()
        async throws
    {
        let queue = try await QueueFixture.make()
        let first = try await submit(queue, key: "k")
        let parent = try await submit(queue, key: "k", shards: 3)
        let last = try await submit(queue, key: "k")
        let claim = try await queue.claimOne()
        #expect(claim.id == first)
        #expect(try await queue.store.claimAvailable(9, for: queue.worker).isEmpty, "no part beside another job")
        #expect(try await queue.store.complete(claim.lease, result: nil, outputPath: nil))
        let parts = try await queue.store.claimAvailable(9, for: queue.worker)
        #expect(parts.map(\.job.shard) == [1, 2, 3], "the parts together, and nobody else")
        for part in parts {
            #expect(try await queue.store.claimAvailable(9, for: queue.worker).isEmpty)
            #expect(try await queue.store.complete(part.lease, result: nil, outputPath: "/o"))
        }
        // The merge and the job behind wait for one another, in the order of the queue.
        for next in [parent, last] {
            let claims = try await queue.store.claimAvailable(9, for: queue.worker)
            #expect(claims.map(\.id) == [next])
            #expect(try await queue.store.complete(claims[0].lease, result: nil, outputPath: nil))
        }
    }

    /// Each claimer of a round finds parts of several jobs and plain ones, all of one key and all free.
    @Test func `whoever claims at the same moment, one key is in the hands of one whole job`() async throws {
        let queue = try await QueueFixture.make(capacity: 8)
        var ends = 0
        for _ in 0..<6 {
            _ = try await submit(queue, key: "k", shards: 4)
            _ = try await submit(queue, key: "k")
        }
        // Each time another one first.
        let shuffle = "UPDATE shufflenet.jobs SET priority = (random() * 10)::integer WHERE state = 'available'"
        while ends < 6 * 6 {
            try await queue.database.query(shuffle)
            let claims = try await withThrowingTaskGroup(of: [ClaimedJob].self) { group in
                for _ in 0..<8 { group.addTask { try await queue.store.claimAvailable(1, for: queue.worker) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let running = try await queue.store.jobs(states: [.running])
            #expect(Set(running.map { $0.parent ?? $0.id }).count == 1)
            #expect(!claims.isEmpty)
            for claim in claims {
                #expect(try await queue.store.complete(claim.lease, result: nil, outputPath: "/o"))
                ends += 1
            }
        }
    }

    @Test(arguments: [#""shards": 1"#, #""shards": 1001"#, #""shards": "x""#, #""shards": 2.5"#])
    func `a number of shards that makes no sense is refused`(argument: String) async throws {
        let queue = try await QueueFixture.make()
        let error = await #expect(throws: PostgresError.self) {
            try await queue.database.query(
                "INSERT INTO shufflenet.jobs (kind, args) VALUES ('classify', $1::jsonb)",
                [#"{"images": "a", "model": "m", \#(argument)}"#])
        }
        #expect(error?.message.contains("wanted a whole number from 2 to 1000") == true)
    }
}
