import Postgres
import TestSupport
import Testing

@Suite struct NotificationListenerTests {
    @Test(.timeLimit(.minutes(1)))
    func `notifications arrive, and again after the backend was terminated`() async throws {
        let test = try await TestDatabase.make()
        var settings = test.settings
        settings.applicationName = "the listener"
        let (events, continuation) = AsyncStream.makeStream(of: NotificationListener.Event.self)
        let listener = NotificationListener(settings, channels: ["odd \"channel\""]) { continuation.yield($0) }
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
}
