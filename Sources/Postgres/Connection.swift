internal import CLibpq
internal import Foundation
internal import Support

/// One connection to a server, and the owner of libpq's handle. Not `Sendable`: it lives inside a `Session`, which waits
/// for its answers on the socket loop and lends it to those who need several statements in a row.
///
/// What is public here waits for the server: never call it on the cooperative pool or the socket loop.
public final class Connection {
    private let handle: OpaquePointer
    let statementTimeout: Duration

    /// Connects and waits for it. Throws `PostgresError`.
    public init(_ settings: ConnectionSettings) throws {
        let keywords = settings.keywords
        var names: [UnsafePointer<CChar>?] = keywords.map { UnsafePointer(strdup($0.keyword)) } + [nil]
        var values: [UnsafePointer<CChar>?] = keywords.map { UnsafePointer(strdup($0.value)) } + [nil]
        defer { for text in names + values { free(UnsafeMutablePointer(mutating: text)) } }
        guard let handle = PQconnectdbParams(&names, &values, 0) else {
            throw PostgresError(.unableToConnect, "out of memory")
        }
        guard PQstatus(handle) == CONNECTION_OK else {
            let message = String(cString: PQerrorMessage(handle)).oneLine
            PQfinish(handle)
            throw PostgresError(.unableToConnect, "could not connect to \(settings): \(message)")
        }
        // libpq prints notices on stderr unless told otherwise.
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
        // Sending never waits: who waits does so for both directions, and with a time limit.
        PQsetnonblocking(handle, 1)
        self.handle = handle
        statementTimeout = settings.statementTimeout
        // Times are read in this form only; a database or a role may have another one as its default.
        if let style = PQparameterStatus(handle, "DateStyle"), !String(cString: style).hasPrefix("ISO") {
            try script("SET datestyle = 'ISO'")
        }
    }

    deinit { PQfinish(handle) }

    /// Runs one statement with its parameters in text format.
    ///
    /// Throws `PostgresError`; after one with `isConnectionLost` the connection is of no more use.
    @discardableResult
    public func query(_ sql: String, _ parameters: [any PostgresParameter] = []) throws -> Rows {
        try wait(for: send(sql, try ParameterTexts(parameters))).rows
    }

    /// Runs several statements without parameters, as psql would; the answer is the last one's.
    @discardableResult
    public func script(_ sql: String) throws -> Rows { try wait(for: send(script: sql)).rows }

    /// Runs `body` between BEGIN and COMMIT; if it throws, or COMMIT does, nothing of it stays.
    public func transaction<Result>(_ body: (Connection) throws -> Result) throws -> Result {
        try script("BEGIN")
        do {
            let result = try body(self)
            try commit()
            return result
        } catch {
            // The first error is the one worth telling; if the way back fails too, the server rolls back alone.
            if isAlive { _ = try? script("ROLLBACK") }
            throw error
        }
    }

    /// Whether the last thing heard of the connection was good.
    public var isAlive: Bool { PQstatus(handle) == CONNECTION_OK }

    /// Whether it is good and outside a transaction, by what was heard so far.
    public var isIdle: Bool { isAlive && PQtransactionStatus(handle) == PQTRANS_IDLE }

    /// The server's process for this connection.
    public var serverProcess: Int32 { PQbackendPID(handle) }

    /// A name as it may stand in SQL.
    public static func quoted(identifier: String) -> String {
        "\"" + identifier.replacing(scalars: ["\"": "\"\""]) + "\""
    }

    private func commit() throws {
        // COMMIT of a failed transaction is no error to the server: it answers ROLLBACK.
        guard try wait(for: send(script: "COMMIT")).commandTag == "COMMIT" else {
            throw PostgresError(.transactionRolledBack, "the transaction was rolled back, an earlier statement failed")
        }
    }

    private func wait(for exchange: consuming Exchange) throws -> Exchange {
        let deadline = ContinuousClock.now + statementTimeout
        while try !receive(&exchange) {
            let left = (deadline - .now).components
            let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
            let wanted = Int16(try flush() ? POLLIN : POLLIN | POLLOUT)
            var descriptor = pollfd(fd: socket, events: wanted, revents: 0)
            let ready = milliseconds < 0 ? 0 : poll(&descriptor, 1, Int32(clamping: milliseconds + 1))
            if ready == 0 {
                // The answer may still come; nobody would know to which question. The handle must not be used again.
                shutdown(socket, Int32(SHUT_RDWR))
                _ = PQconsumeInput(handle)
                throw timedOut
            }
            guard ready > 0 || errno == EINTR else { throw lost() }
        }
        if let failure = exchange.failure { throw failure }
        return exchange
    }

    // MARK: Without waiting

    /// Statements on their way, and what has come of their answers.
    struct Exchange {
        /// One for each statement that was carried out.
        var answers: [Rows] = []
        var commandTag = ""
        var failure: PostgresError?
        /// Those of each answer, where they are known.
        fileprivate var columns: [[String: Int]] = []
        /// Whether it ends with the answer to a `Sync`, and not with the first statement's end.
        fileprivate var isPipeline = false

        /// The last statement's answer.
        var rows: Rows { answers.last ?? Rows(columns: [:], values: [], affected: 0) }
    }

    /// A statement for a pipeline.
    struct Call {
        var statement: Name
        var parameters: ParameterTexts
        /// Those of its answer, or none if they are not known yet.
        var columns: [String: Int] = [:]

        enum Name {
            case prepared(String)
            case text(String)
        }
    }

    /// The socket's file descriptor; libpq keeps owning it.
    var socket: Int32 { PQsocket(handle) }

    var timedOut: PostgresError { PostgresError(.statementTimedOut, "no answer within \(statementTimeout)") }

    func send(_ sql: String, _ parameters: ParameterTexts) throws -> Exchange {
        try sent(parameters.withPointers { PQsendQueryParams(handle, sql, parameters.count, nil, $0, nil, nil, 0) })
    }

    func send(script: String) throws -> Exchange { try sent(PQsendQuery(handle, script)) }

    func send(prepare sql: String, as name: String) throws -> Exchange {
        try sent(PQsendPrepare(handle, name, sql, 0, nil))
    }

    /// Sends statements at one go. They make one transaction: the failure of one undoes all.
    func send(_ calls: [Call]) throws -> Exchange {
        guard PQenterPipelineMode(handle) == 1 else { throw lost() }
        for call in calls {
            let code = call.parameters.withPointers { texts in
                switch call.statement {
                case .prepared(let name):
                    PQsendQueryPrepared(handle, name, call.parameters.count, texts, nil, nil, 0)
                case .text(let sql):
                    PQsendQueryParams(handle, sql, call.parameters.count, nil, texts, nil, nil, 0)
                }
            }
            guard code == 1 else { throw lost() }
        }
        var exchange = try sent(PQpipelineSync(handle))
        exchange.columns = calls.map(\.columns)
        exchange.isPipeline = true
        return exchange
    }

    private func sent(_ code: Int32) throws -> Exchange {
        guard code == 1, PQflush(handle) >= 0 else { throw lost() }
        return Exchange()
    }

    /// Sends what the socket has room for; whether that was all.
    func flush() throws -> Bool {
        let left = PQflush(handle)
        guard left >= 0 else { throw lost() }
        return left == 0
    }

    /// Reads what has come; whether that was the end of the answers. What the server has against the statement is in
    /// `failure`; throws if the connection is gone.
    func receive(_ exchange: inout Exchange) throws -> Bool {
        guard PQconsumeInput(handle) == 1 else { throw lost() }
        while PQisBusy(handle) == 0 {
            guard let result = PQgetResult(handle) else {
                // In a pipeline this is the end of one statement's answer.
                if exchange.isPipeline && isAlive { continue }
                // Without its `Sync` nobody knows of a pipeline whether it was committed.
                if !isAlive && (exchange.isPipeline || exchange.failure != nil) { exchange.failure = lost(exchange) }
                return true
            }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
                exchange.commandTag = String(cString: PQcmdStatus(result))
                let position = exchange.answers.count
                let columns = position < exchange.columns.count ? exchange.columns[position] : [:]
                exchange.answers.append(Rows(result: result, columns: columns))
            case PGRES_PIPELINE_SYNC:
                guard PQexitPipelineMode(handle) == 1 else { throw lost() }
                return true
            default:
                exchange.failure = exchange.failure ?? PostgresError(result: result)
            }
        }
        return false
    }

    /// Reads what came unasked. Throws if that was the end of the connection.
    func listen() throws {
        guard PQconsumeInput(handle) == 1, isAlive else { throw lost() }
    }

    /// The notifications in what was read.
    func takeNotifications() -> [PostgresNotification] {
        var notifications: [PostgresNotification] = []
        while let notify = PQnotifies(handle) {
            notifications.append(
                PostgresNotification(
                    channel: String(cString: notify.pointee.relname), payload: String(cString: notify.pointee.extra)))
            PQfreemem(notify)
        }
        return notifications
    }

    private func lost(_ exchange: Exchange) -> PostgresError {
        exchange.failure.map { PostgresError(.connectionLost, $0.message) } ?? lost()
    }

    private func lost() -> PostgresError {
        PostgresError(.connectionLost, String(cString: PQerrorMessage(handle)).oneLine)
    }
}

extension Rows {
    fileprivate init(result: OpaquePointer, columns: [String: Int]) {
        let columnCount = PQnfields(result)
        let rowCount = PQntuples(result)
        var columns = columns
        if columns.isEmpty {
            for column in 0..<columnCount { columns[String(cString: PQfname(result, column))] = Int(column) }
        }
        let values = (0..<rowCount).map { row in
            (0..<columnCount).map { column in
                PQgetisnull(result, row, column) == 1 ? nil : String(cString: PQgetvalue(result, row, column))
            }
        }
        self.init(
            columns: columns, values: values, affected: Int(String(cString: PQcmdTuples(result))) ?? Int(rowCount))
    }
}
