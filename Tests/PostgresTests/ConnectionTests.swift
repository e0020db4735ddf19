import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct ConnectionTests {
    @Test func `values go and come back unchanged`() async throws {
        let database = try await TestDatabase.make().database
        let date = Date(timeIntervalSince1970: 1_711_846_800.123456)
        let strings = ["plain", "", "NULL", "a,b", "{c}", "q\"uo\\te", "größer ✓", " space ", "\"\u{301} x"]
        let row = try await database.query(
            "SELECT $1::text AS text, $2::bigint AS number, $3::float8 AS double, $4::boolean AS flag, "
                + "$5::timestamptz AS date, $6::text AS absent, extract(epoch FROM $7::interval) AS duration, "
                + "$8::text[] = ARRAY['plain','','NULL','a,b','{c}','q\"uo\\te','größer ✓',' space ',"
                + "U&'\"\\0301 x'] AS same",
            [
                "it's; --", Int64.min, 0.1, true, date, String?.none, Duration.milliseconds(90_250), strings,
            ])[0]
        #expect(try row.decode("text", as: String.self) == "it's; --")
        #expect(try row.decode("number", as: Int64.self) == .min)
        #expect(try row.decode("double", as: Double.self) == 0.1)
        #expect(try row.decode("flag", as: Bool.self))
        #expect(abs(try row.decode("date", as: Date.self).timeIntervalSince(date)) < 2e-6)
        #expect(try row.decodeIfPresent("absent", as: String.self) == nil)
        #expect(try row.decode("duration", as: Duration.self) == .milliseconds(90_250))
        #expect(try row.decode("same", as: Bool.self))
    }

    @Test(arguments: ["UTC", "Asia/Kolkata", "America/St_Johns", "Africa/Monrovia", "Pacific/Apia"])
    func `a timestamp is the same instant in every session time zone`(zone: String) async throws {
        let database = try await TestDatabase.make().database
        let dates = [-2_000_000_000.5, -1, 0, 1_711_846_799.999999, 4_102_444_800].map(
            Date.init(timeIntervalSince1970:))
        for date in dates {
            let back = try await database.withConnection { connection in
                try connection.query("SELECT set_config('timezone', $1, false)", [zone])
                return try connection.query("SELECT $1::timestamptz AS date", [date])[0].decode("date", as: Date.self)
            }
            #expect(abs(back.timeIntervalSince(date)) < 2e-6)
        }
    }

    @Test func `reading a wrong column, a NULL or another type is an error that names the column`() async throws {
        let database = try await TestDatabase.make().database
        let row = try await database.query("SELECT 'x' AS word, NULL AS nothing")[0]
        for (column, part) in [
            ("wordd", "has no column 'wordd'"), ("nothing", "'nothing' is NULL"), ("word", "'word' can't"),
        ] {
            let error = #expect(throws: PostgresError.self) { try row.decode(column, as: Int.self) }
            #expect(error?.description.contains(part) == true)
        }
    }

    @Test func `a server's error carries its code, hint and constraint, and keeps values out of its description`()
        async throws
    {
        let database = try await TestDatabase.make().database
        try await database.query("CREATE TABLE t (secret text UNIQUE)")
        try await database.query("INSERT INTO t VALUES ($1)", ["hunter2"])
        let twice = await #expect(throws: PostgresError.self) {
            try await database.query("INSERT INTO t VALUES ($1)", ["hunter2"])
        }
        #expect(twice?.sqlState == .uniqueViolation)
        #expect(twice?.constraint == "t_secret_key")
        #expect(twice?.detail?.contains("hunter2") == true)
        #expect(twice?.description.contains("hunter2") == false)
        let noNumber = await #expect(throws: PostgresError.self) {
            try await database.query("SELECT $1::int", ["hunter2"])
        }
        #expect(noNumber?.description.contains("hunter2") == false)
    }

    @Test func `settings never show a password`() throws {
        let settings = try ConnectionSettings(parsing: "postgresql://me:hunter2@db.example:5433/jobs?sslmode=require")
        var dumped = ""
        dump(settings, to: &dumped)
        for text in ["\(settings)", String(reflecting: settings), dumped] {
            #expect(!text.contains("hunter2"))
            #expect(text.contains("db.example"))
        }
        let error = #expect(throws: PostgresError.self) { try ConnectionSettings(parsing: "postgresql://me:hunter2@[") }
        #expect(error?.description.contains("hunter2") == false)
    }

    @Test func `a transaction that throws leaves nothing behind, and the connection is good for the next`() async throws
    {
        struct Stop: Error {}
        let database = try await TestDatabase.make(capacity: 1).database
        try await database.query("CREATE TABLE t (n int)")
        await #expect(throws: Stop.self) {
            try await database.transaction { connection in
                try connection.query("INSERT INTO t VALUES (1)")
                throw Stop()
            }
        }
        await #expect(throws: PostgresError.self) {
            try await database.transaction { connection in
                try connection.query("INSERT INTO t VALUES (1)")
                _ = try? connection.query("SELECT 1/0")
            }
        }
        try await database.transaction { _ = try $0.query("INSERT INTO t VALUES (2)") }
        #expect(try await database.query("SELECT n FROM t").map { try $0.decode("n", as: Int.self) } == [2])
    }

    @Test func `an answer that takes too long is given up, and the next call has a new connection`() async throws {
        var settings = try await TestDatabase.make().settings
        settings.statementTimeout = .milliseconds(150)
        let session = Session(settings)
        let first = try await session.withConnection { $0.serverProcess }
        let error = await #expect(throws: PostgresError.self) {
            try await session.withConnection { _ = try $0.query("SELECT pg_sleep(60)") }
        }
        #expect(error?.sqlState == .statementTimedOut)
        #expect(try await session.withConnection { $0.serverProcess } != first)
    }

    @Test func `a session notices a backend that was terminated while it rested`() async throws {
        let test = try await TestDatabase.make()
        let session = Session(test.settings)
        let process = try await session.withConnection { $0.serverProcess }
        try await test.database.query("SELECT pg_terminate_backend($1)", [process])
        // The goodbye is on its way: the session may meet it in this call, but never twice.
        for _ in 0..<2 {
            if let next = try? await session.withConnection({
                try $0.query("SELECT 1")
                return $0.serverProcess
            }) {
                #expect(next != process)
                return
            }
        }
        Issue.record("the session did not heal")
    }

    @Test func `a pool never lends one connection to two`() async throws {
        let database = try await TestDatabase.make(capacity: 3).database
        let processes = try await withThrowingTaskGroup(of: Int32.self) { group in
            for _ in 0..<30 {
                group.addTask {
                    try await database.withConnection {
                        try $0.query("SELECT pg_sleep(0.005)")
                        return $0.serverProcess
                    }
                }
            }
            return try await group.reduce(into: Set<Int32>()) { $0.insert($1) }
        }
        #expect((1...3).contains(processes.count))
    }

    @Test func `a statement that a pooler forgot is sent again without a name`() async throws {
        let database = try await TestDatabase.make(capacity: 1).database
        for number in 1...3 {
            let rows = try await database.query("SELECT $1::int AS n", [number])
            #expect(try rows[0].decode("n", as: Int.self) == number)
            // What a pooler does by handing out another server connection.
            try await database.query("DEALLOCATE ALL")
        }
    }

    @Test func `statements that go together are one transaction, and each sees what the one before it did`()
        async throws
    {
        let database = try await TestDatabase.make(capacity: 1).database
        try await database.query("CREATE TABLE numbers (n int CHECK (n < 10))")
        let insert = "INSERT INTO numbers VALUES ($1) RETURNING n, pg_current_xact_id() AS transaction"
        let count = "SELECT count(*) AS count, pg_current_xact_id() AS transaction FROM numbers"
        for number in 1...3 {
            let answers = try await database.query([Statement(insert, [number]), Statement(count)])
            #expect(answers.count == 2 && answers[0].affected == 1)
            #expect(try answers[0][0].decode("n", as: Int.self) == number)
            #expect(try answers[1][0].decode("count", as: Int.self) == number)
            let transactions = try answers.map { try $0[0].decode("transaction", as: String.self) }
            #expect(transactions[0] == transactions[1])
        }
        for statements in [
            [Statement(insert, [4]), Statement(insert, [10])], [Statement(insert, [10]), Statement(insert, [4])],
            [Statement(insert, [4]), Statement("SELECT FROM nowhere")],
        ] {
            let error = await #expect(throws: PostgresError.self) { try await database.query(statements) }
            #expect(["23514", "42P01"].contains(error?.sqlState.rawValue))
            let left = try await database.query([Statement(count)])[0]
            #expect(try left[0].decode("count", as: Int.self) == 3)
        }
    }

    @Test func `a connection that ends before all is answered is an error, and the next statements have a new one`()
        async throws
    {
        let database = try await TestDatabase.make(capacity: 1).database
        let end = Statement("SELECT pg_terminate_backend(pg_backend_pid())")
        for statements in [[end, Statement("SELECT 1")], [Statement("SELECT 1"), end], [end]] {
            let error = await #expect(throws: PostgresError.self) { try await database.query(statements) }
            #expect(error?.isConnectionLost == true)
            #expect(try await database.query([Statement("SELECT 1"), Statement("SELECT 2")]).count == 2)
        }
    }

    @Test func `of statements that go together none is done twice if a pooler forgot one of them`() async throws {
        let database = try await TestDatabase.make(capacity: 1).database
        try await database.query("CREATE TABLE numbers (n int)")
        let statements = [
            Statement("INSERT INTO numbers VALUES ($1)", [7]), Statement("SELECT n AS second FROM numbers"),
        ]
        #expect(try await database.query(statements)[1].count == 1)
        let name = try await database.query("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%second%'")
        try await database.query("DEALLOCATE \(try name[0].decode("name", as: String.self))")
        #expect(try await database.query(statements)[1].count == 2)
    }

    @Test func `a statement that waits holds up no other one, and without an answer it is given up`() async throws {
        let test = try await TestDatabase.make(capacity: 3)
        let holder = Session(test.settings)
        _ = try await holder.query("SELECT pg_advisory_lock(1)")
        let waiting = Task { try await test.database.query("SELECT pg_advisory_lock(1)") }
        for _ in 0..<10 { try await test.database.query("SELECT 1") }
        _ = try await holder.query("SELECT pg_advisory_unlock(1)")
        _ = try await waiting.value
        var settings = test.settings
        settings.statementTimeout = .milliseconds(150)
        let impatient = Session(settings)
        let error = await #expect(throws: PostgresError.self) { _ = try await impatient.query("SELECT pg_sleep(60)") }
        #expect(error?.sqlState == .statementTimedOut)
    }

    @Test func `more than a socket takes at a time goes there and back`() async throws {
        let database = try await TestDatabase.make(capacity: 2).database
        let text = String(repeating: "0123456789abcdef", count: 1 << 19)
        let sent = try await database.query("SELECT $1::text AS text", [text])[0]
        let lent = try await database.withConnection {
            try $0.query("SELECT $1::text AS text", [text])[0]
        }
        for row in [sent, lent] {
            #expect(try row.decode("text", as: String.self) == text)
        }
    }

    @Test func `many statements at once, near the connections and far from them, each get their own answer`()
        async throws
    {
        let database = try await TestDatabase.make(capacity: 3).database
        @Sendable func ask(_ number: Int) async throws -> Bool {
            try await database.query("SELECT $1::int AS n", [number])[0].decode("n", as: Int.self) == number
        }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    number.isMultiple(of: 2)
                        ? try await ask(number) : try await Database.nearby { try await ask(number) }
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }
}
