import Postgres
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct NotificationListenerTests {
    @Test func `notifications arrive, and again after the backend was terminated`() async throws {
        let test = try await TestDatabase.make()
        var settings = test.settings
        settings.applicationName = "the listener"
        let (events, continuation) = AsyncStream.makeStream(of: NotificationListener.Event.self)
        let listener = NotificationListener(
            settings, channels: ["odd \"channel\""], probe: .init(by: test.database)
        ) { continuation.yield($0) }
        let running = Task { await listener.run() }
        var steps = events.makeAsyncIterator()
        #expect(await steps.next() == .listening)
        try await test.database.query("SELECT pg_notify($1, $2)", ["odd \"channel\"", "one"])
        #expect(await steps.next() == .notification(PostgresNotification(channel: "odd \"channel\"", payload: "one")))
        try await test.database.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()",
            ["the listener"])
        guard case .interrupted = await steps.next() else {
            Issue.record("the loss was not told")
            return
        }
        #expect(await steps.next() == .listening)
        try await test.database.query("SELECT pg_notify($1, $2)", ["odd \"channel\"", "two"])
        #expect(await steps.next() == .notification(PostgresNotification(channel: "odd \"channel\"", payload: "two")))
        running.cancel()
        await running.value
    }

    @Test func `a listener behind a transaction pooler notices that it is deaf, and says what to do`() async throws {
        let test = try await TestDatabase.make()
        let pooler = try await PgBouncer(before: test.settings)
        let (events, continuation) = AsyncStream.makeStream(of: NotificationListener.Event.self)
        let listener = NotificationListener(
            pooler.settings, channels: ["c"], probe: .init(by: test.database, within: .milliseconds(300))
        ) { continuation.yield($0) }
        let running = Task { await listener.run() }
        // Statements go through all the while.
        let through = Database(pooler.settings, capacity: 1)
        #expect(try await through.query("SELECT 1 AS one")[0].decode("one", as: Int.self) == 1)
        var steps = events.makeAsyncIterator()
        // Not once but at every try, so that it heals by itself where the pooler is taken away.
        for _ in 0..<2 {
            guard case .interrupted(let error) = await steps.next() else {
                Issue.record("a deaf listener counted as listening")
                return
            }
            #expect(error.description.contains("did not arrive within"))
            #expect(error.description.contains("direct connection"))
        }
        running.cancel()
        await running.value
    }

    @Test func `a listener that goes deaf while it listens is noticed by the next probe`() async throws {
        let test = try await TestDatabase.make()
        var settings = test.settings
        settings.applicationName = "the listener"
        let (events, continuation) = AsyncStream.makeStream(of: NotificationListener.Event.self)
        // Probes that reach another database reach nobody: from the first one on it is as if they were lost.
        let elsewhere = try await TestDatabase.make()
        let listener = NotificationListener(
            settings, channels: ["c"],
            probe: .init(by: elsewhere.database, every: .milliseconds(50), within: .milliseconds(200))
        ) { continuation.yield($0) }
        let running = Task { await listener.run() }
        var steps = events.makeAsyncIterator()
        guard case .interrupted = await steps.next() else {
            Issue.record("probes that did not arrive were not missed")
            return
        }
        running.cancel()
        await running.value
    }
}
