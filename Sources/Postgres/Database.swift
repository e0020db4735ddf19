internal import Synchronization

/// A small pool of sessions with one database. Verbs take one for as long as a statement or a transaction lasts.
public final class Database: Sendable {
    public let settings: ConnectionSettings
    /// The most connections held at a time.
    public let capacity: Int
    private let state = Mutex(State())

    private struct State {
        var idle: [Session] = []
        var made = 0
        var waiting: [CheckedContinuation<Session, Never>] = []
    }

    public init(_ settings: ConnectionSettings, capacity: Int = 4) {
        precondition(capacity > 0, "a pool needs room for one connection")
        self.settings = settings
        self.capacity = capacity
    }

    /// Runs `body` with a connection nobody else has meanwhile, on a thread that may wait. Throws `PostgresError` and what
    /// `body` throws.
    public func withConnection<Result: Sendable>(
        _ body: @escaping @Sendable (Connection) throws -> Result
    ) async throws -> Result {
        let session = await take()
        defer { giveBack(session) }
        return try await session.withConnection(body)
    }

    /// Runs one statement.
    @discardableResult
    public func query(_ sql: String, _ parameters: [any PostgresParameter] = []) async throws -> Rows {
        try await query([Statement(sql, parameters)])[0]
    }

    /// Runs statements, sent together, in one transaction: the failure of one undoes all. An answer for each.
    public func query(_ statements: [Statement]) async throws -> [Rows] {
        let session = await take()
        defer { giveBack(session) }
        return try await session.query(statements)
    }

    /// Runs `body` between BEGIN and COMMIT; see `Connection.transaction`.
    public func transaction<Result: Sendable>(
        _ body: @escaping @Sendable (Connection) throws -> Result
    ) async throws -> Result {
        try await withConnection { try $0.transaction(body) }
    }

    /// Runs the asynchronous steps of `body` on the thread that waits for the answers, so that statements in a row cost no
    /// change of threads. It must neither block nor compute for long: all statements of the process wait meanwhile.
    public static func nearby<Result: Sendable, Failure: Error>(
        _ body: () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await withTaskExecutorPreference(SocketLoop.shared, operation: body)
    }

    /// Lets go of all idle connections; the next call makes new ones.
    public func close() async {
        for session in state.withLock({ $0.idle }) { await session.close() }
    }

    private func take() async -> Session {
        // Without a continuation where none is needed, which is nearly always.
        if let session = state.withLock({ takeIdle(&$0) }) { return session }
        return await withCheckedContinuation { continuation in
            let session = state.withLock { state in
                let session = takeIdle(&state)
                if session == nil { state.waiting.append(continuation) }
                return session
            }
            if let session { continuation.resume(returning: session) }
        }
    }

    private func takeIdle(_ state: inout State) -> Session? {
        // Last in, first out: a warm connection with its statements prepared comes before a new one.
        if let session = state.idle.popLast() { return session }
        guard state.made < capacity else { return nil }
        state.made += 1
        return Session(settings)
    }

    private func giveBack(_ session: Session) {
        let next: CheckedContinuation<Session, Never>? = state.withLock { state in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.idle.append(session)
            return nil
        }
        next?.resume(returning: session)
    }
}
