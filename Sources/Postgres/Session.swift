internal import Support

/// One connection that heals: made when first needed, and again, with backoff, after it was lost.
///
/// It lives on the socket loop, where its statements wait for their answers without a thread of their own. It does one
/// thing at a time; `Database` lends sessions so that nobody comes second.
public actor Session {
    /// What comes without being asked for.
    enum News: Sendable {
        case notification(PostgresNotification)
        /// The connection ended while it rested.
        case lost(PostgresError)
    }

    private nonisolated let loop = SocketLoop.shared
    private let settings: ConnectionSettings
    private let backoff: Backoff
    private let blocking = BlockingCalls()
    private let tell: @Sendable (News) -> Void
    private var connection: Connection?
    private var statements: [String: PreparedStatement] = [:]
    private var preparesStatements: Bool
    private var failures = 0
    private var isBusy = false
    private var pending: Pending?

    /// A statement whose answer has not come yet.
    private struct Pending {
        var exchange: Connection.Exchange
        var deadline: ContinuousClock.Instant
        var isSent: Bool
        var continuation: UnsafeContinuation<Connection.Exchange, any Error>
    }

    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    public init(
        _ settings: ConnectionSettings, backoff: Backoff = Backoff(first: .milliseconds(50), cap: .seconds(5))
    ) {
        self.init(settings, backoff: backoff) { _ in }
    }

    /// - Parameter tell: called on the socket loop; must not block.
    init(_ settings: ConnectionSettings, backoff: Backoff, tell: @escaping @Sendable (News) -> Void) {
        self.settings = settings
        self.backoff = backoff
        self.tell = tell
        preparesStatements = settings.preparesStatements
    }

    isolated deinit { hangUp() }

    /// Runs one statement; see the other `query`.
    public func query(_ sql: String, _ parameters: [any PostgresParameter] = []) async throws -> Rows {
        try await query([Statement(sql, parameters)])[0]
    }

    /// Runs statements in one transaction and one exchange, each prepared once for each connection. Throws `PostgresError`;
    /// nothing is sent twice unless the server never carried it out.
    public func query(_ statements: [Statement]) async throws -> [Rows] {
        begin()
        defer { isBusy = false }
        let texts = try statements.map { try ParameterTexts($0.parameters) }
        let connection = try await connected()
        defer { keepIfIdle() }
        if preparesStatements {
            do {
                var calls: [Connection.Call] = []
                for (statement, texts) in zip(statements, texts) {
                    let known = try await prepared(statement.sql, connection)
                    calls.append(
                        Connection.Call(statement: .prepared(known.name), parameters: texts, columns: known.columns))
                }
                let answers = try await answer { try $0.send(calls) }.answers
                for (statement, answer) in zip(statements, answers)
                where self.statements[statement.sql]?.columns.isEmpty == true {
                    self.statements[statement.sql]?.columns = answer.columns
                }
                return answers
            } catch let error as PostgresError where error.sqlState == .invalidStatementName && connection.isIdle {
                // A transaction pooler gave us a server connection that never heard of the statement.
                preparesStatements = false
            }
        }
        let calls = zip(statements, texts).map { Connection.Call(statement: .text($0.sql), parameters: $1) }
        return try await answer { try $0.send(calls) }.answers
    }

    /// Runs `body` with the connection on a thread that may wait. Throws `PostgresError` and what `body` throws; an error
    /// in `body` is the caller's to judge.
    public func withConnection<Result: Sendable>(
        _ body: @escaping @Sendable (Connection) throws -> Result
    ) async throws -> Result {
        begin()
        defer { isBusy = false }
        // Nobody else touches it meanwhile: the loop has let go of its socket, and the session is busy.
        nonisolated(unsafe) let lent = try await connected()
        loop.forget(lent.socket)
        let outcome = await blocking.run { Swift.Result { try body(lent) } }
        if lent.isIdle {
            watch(lent)
        } else {
            connection = nil
        }
        return try outcome.get()
    }

    /// Lets go of the connection; the next call makes another.
    public func close() { hangUp() }

    private func begin() {
        precondition(!isBusy, "a session does one thing at a time")
        isBusy = true
    }

    // MARK: The connection

    /// The connection, made anew if it is known to be gone; then first waits as the backoff says.
    private func connected() async throws -> Connection {
        if let connection { return connection }
        if failures > 0 { try await Task.sleep(for: backoff.delay(afterFailures: failures)) }
        let settings = settings
        do {
            let made = try await blocking.run { Swift.Result { try Connection(settings) } }.get()
            failures = 0
            statements = [:]
            watch(made)
            return made
        } catch {
            failures += 1
            throw error
        }
    }

    private func watch(_ connection: Connection) {
        self.connection = connection
        loop.watch(connection.socket) { [weak self] event in self?.assumeIsolated { $0.hear(event) } }
        // What came while nobody watched is told now: the socket may have nothing more to read.
        tellNotifications()
    }

    private func keepIfIdle() {
        if connection?.isIdle == false { hangUp() }
    }

    private func hangUp() {
        if let connection { loop.forget(connection.socket) }
        connection = nil
    }

    // MARK: Statements

    private func prepared(_ sql: String, _ connection: Connection) async throws -> PreparedStatement {
        if let known = statements[sql] { return known }
        let statement = PreparedStatement(sql)
        do {
            _ = try await answer { try $0.send(prepare: sql, as: statement.name) }
        } catch let error as PostgresError where error.sqlState == .duplicateStatement {}
        statements[sql] = statement
        return statement
    }

    /// Sends, and waits for the whole answer.
    private func answer(to send: (Connection) throws -> Connection.Exchange) async throws -> Connection.Exchange {
        guard let connection else { throw PostgresError(.connectionLost, "the connection was lost") }
        let answer = try await withUnsafeThrowingContinuation { continuation in
            // In here and not before: at the `await` the loop may look at the socket, and an answer that nobody waits for
            // would be taken for something unasked.
            do {
                let exchange = try send(connection)
                let isSent = try connection.flush()
                if !isSent { loop.awaitRoom(connection.socket, true) }
                pending = Pending(
                    exchange: exchange, deadline: .now + connection.statementTimeout, isSent: isSent,
                    continuation: continuation)
            } catch {
                continuation.resume(throwing: error)
            }
        }
        if let failure = answer.failure { throw failure }
        return answer
    }

    private func hear(_ event: SocketLoop.Event) {
        guard let connection else { return }
        do {
            switch event {
            case .ready: try read(connection)
            case .tick:
                if let pending, pending.deadline < .now { throw connection.timedOut }
            }
        } catch {
            hangUp()
            if let pending {
                self.pending = nil
                pending.continuation.resume(throwing: error)
            } else {
                tell(.lost(error as? PostgresError ?? PostgresError(.connectionLost, "\(error)")))
            }
        }
    }

    private func read(_ connection: Connection) throws {
        guard pending != nil else {
            try connection.listen()
            tellNotifications()
            return
        }
        if pending?.isSent == false, try connection.flush() {
            pending?.isSent = true
            loop.awaitRoom(connection.socket, false)
        }
        if try connection.receive(&pending!.exchange), let done = pending {
            pending = nil
            tellNotifications()
            done.continuation.resume(returning: done.exchange)
        }
    }

    private func tellNotifications() {
        for notification in connection?.takeNotifications() ?? [] { tell(.notification(notification)) }
    }
}

/// A statement as the server knows it for the length of a connection.
struct PreparedStatement {
    let name: String
    /// Those of its answers; none before the first one.
    var columns: [String: Int] = [:]

    /// Named by content: behind a pooler an equal name can then only mean an equal statement.
    init(_ sql: String) { name = "s" + String(FNV1a.hash(sql), radix: 16) }
}
