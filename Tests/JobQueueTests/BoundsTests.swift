import JobQueue
import Logging
import Postgres
import TestSupport
import Testing

/// What one row, or one open transaction, can not do to the jobs of others.
@Suite struct BoundsTests {
    @Test(arguments: [
        ("concurrency_key", "repeat('k', 2001)", "concurrency_key 2001; wanted 2000"),
        ("unique_key", "repeat('k', 2001)", "unique_key has 2001 bytes"),
        ("timeout", "'50000 years'", "timeout is 50000 years, wanted ten years"),
        ("run_at", "'0044-03-15 BC'", "wanted a time within ten years of now"),
        ("run_at", "'1999-01-01'", "wanted a time within ten years of now"),
        ("args", #"'{"dataset": 2024}'"#, "'dataset' is not a name, found 2024"),
    ])
    func `what nobody could claim or read is refused in a sentence`(column: String, value: String, sentence: String)
        async throws
    {
        let queue = try await QueueFixture.make()
        let (names, values) =
            column == "args"
            ? ("kind, args", "'train', \(value)")
            : ("kind, args, \(column)", #"'train', '{"dataset": "a"}', \#(value)"#)
        let error = await #expect(throws: PostgresError.self) {
            try await queue.database.query("INSERT INTO shufflenet.jobs (\(names)) VALUES (\(values))")
        }
        #expect(error?.message.contains(sentence) == true)
        #expect(error?.hint != nil)
    }

    @Test func `a time that no claim can wait for is refused when it is set later, too`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        for time in ["infinity", "-infinity", "0044-03-15 BC", "9999-01-01"] {
            let error = await #expect(throws: PostgresError.self) {
                try await queue.database.query("UPDATE shufflenet.jobs SET run_at = '\(time)'")
            }
            #expect(error?.message.contains("wanted a time within ten years of now") == true)
            #expect(error?.hint?.contains("shufflenet.hold(1)") == true)
        }
        try await queue.database.query("UPDATE shufflenet.jobs SET run_at = now() + interval '1 year'")
    }

    @Test func `a row that can't be read hides none of the others`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert(3)
        try await queue.database.query("UPDATE shufflenet.jobs SET created_at = 'infinity' WHERE id = 2")
        let lines = RecordedLog()
        let store = JobStore(queue.database, logger: Logger(label: "test") { _ in lines })
        #expect(try await store.jobs().map(\.id.rawValue) == [3, 1])
        #expect(lines.all.count == 1 && lines.all[0].contains("job 2 is left out"), "\(lines.all)")
    }

    @Test func `a long key is claimed like any other`() async throws {
        let queue = try await QueueFixture.make()
        // Of random letters: repeated ones are stored short.
        try await queue.database.query(
            """
            INSERT INTO shufflenet.jobs (kind, args, concurrency_key, unique_key)
            SELECT 'train', '{"dataset": "a"}', k, k
            FROM (SELECT left(string_agg(md5(random()::text), ''), 2000) AS k FROM generate_series(1, 70)) AS keys
            """)
        #expect(try await queue.store.claimAvailable(1, for: queue.worker).count == 1)
    }

    @Test(arguments: ["cancel", "fail"])
    func `a chain of jobs ends with its first, however long it is`(end: String) async throws {
        let queue = try await QueueFixture.make()
        let args = JSONDocument(text: #"{"dataset": "a"}"#)
        let first = try await queue.store.submit(JobRequest(kind: .train, args: args, maxAttempts: 1))
        var last = first
        for _ in 0..<400 { last = try await queue.store.submit(JobRequest(kind: .train, args: args, after: [last])) }
        if end == "cancel" {
            _ = try await queue.store.cancel(first)
        } else {
            let claim = try await queue.claimOne()
            _ = try await queue.store.fail(claim.lease, reason: .error, error: "nothing works", usage: AttemptUsage())
        }
        let states = try await queue.database.query("SELECT state, count(*) AS n FROM shufflenet.jobs GROUP BY 1")
        #expect(try states.reduce(0) { $0 + (try $1.decode("n", as: Int.self)) } == 401)
        #expect(states.count == (end == "cancel" ? 1 : 2))
        let job = try #require(try await queue.store.job(last))
        #expect(job.state == .cancelled && job.error?.hasSuffix("which it waited for, is cancelled") == true)
        // The next chain of the same connection is looked after as well.
        let again = try await queue.store.submit(JobRequest(kind: .train, args: args))
        let follower = try await queue.store.submit(JobRequest(kind: .train, args: args, after: [again]))
        _ = try await queue.store.cancel(again)
        #expect(try await queue.store.job(follower)?.state == .cancelled)
    }

    @Test func `a pause in a transaction that stays open keeps no heartbeat and no registration waiting`() async throws
    {
        let queue = try await QueueFixture.make()
        let open = try Connection(queue.test.settings)
        try open.script("BEGIN; SELECT shufflenet.pause_queue('default', 'new disk')")
        var hasty = queue.test.settings
        hasty.statementTimeout = .seconds(5)
        let store = JobStore(Database(hasty, capacity: 1))
        #expect(try await store.heartbeat(queue.worker).isAlive)
        _ = try await store.registerWorker(WorkerRegistration(slots: 1))
        withExtendedLifetime(open) {}
    }

    @Test func `times are read whatever form the database's default has`() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        let name: String = try await queue.database.query("SELECT current_database()::text AS name")[0].decode("name")
        try await queue.database.query("ALTER DATABASE \(name) SET datestyle = 'German'")
        let store = JobStore(Database(queue.test.settings, capacity: 1))
        #expect(try await store.jobs().count == 1)
        #expect(try await store.workers().count == 1)
    }
}
