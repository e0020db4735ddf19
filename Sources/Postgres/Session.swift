/// One connection that heals: made when first needed, and again, with backoff, after it was lost.
///
/// Calls run one after another on a dispatch queue of the session's own.
public actor Session {
    private nonisolated let executor: QueueExecutor
    private let settings: ConnectionSettings
    private let backoff: Backoff
    private var connection: Connection?
    private var failures = 0

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    public init(
        _ settings: ConnectionSettings, backoff: Backoff = Backoff(first: .milliseconds(50), cap: .seconds(5))
    ) {
        self.settings = settings
        self.backoff = backoff
        executor = QueueExecutor(label: "postgres.session")
    }

    /// Runs `body` with the connection, which is made anew if it is known to be gone; then first waits as the backoff
    /// says. Nothing is sent twice: an error in `body` is the caller's to judge. Throws `PostgresError` and what
    /// `body` throws.
    public func withConnection<Result: Sendable>(
        _ body: @Sendable (Connection) throws -> Result
    ) async throws -> Result {
        if connection?.isUsable != true {
            connection = nil
            if failures > 0 { try await Task.sleep(for: backoff.delay(afterFailures: failures)) }
        }
        // Another call may have connected while this one slept.
        let current = try connection ?? connect()
        defer { if !current.isIdle { connection = nil } }
        return try body(current)
    }

    /// Lets go of the connection; the next call makes another.
    public func close() { connection = nil }

    private func connect() throws -> Connection {
        do {
            let made = try Connection(settings)
            connection = made
            failures = 0
            return made
        } catch {
            failures += 1
            throw error
        }
    }
}
