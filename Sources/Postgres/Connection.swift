internal import CLibpq
internal import Foundation

/// One connection to a server, and the owner of libpq's handle. Blocking and not `Sendable`: it lives inside a
/// `Session`, whose executor is a dispatch queue, so that its waiting never holds a thread of the cooperative pool.
public final class Connection {
    private let handle: OpaquePointer
    private let statementTimeout: Duration
    private var preparesStatements: Bool
    /// The columns of the answers of what was prepared, by its name; worked out at the first answer.
    private var prepared: [String: [String: Int]] = [:]

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
            let message = String(cString: PQerrorMessage(handle)).trimmed
            PQfinish(handle)
            throw PostgresError(.unableToConnect, "could not connect to \(settings): \(message)")
        }
        // libpq prints notices on stderr unless told otherwise.
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
        self.handle = handle
        statementTimeout = settings.statementTimeout
        preparesStatements = settings.preparesStatements
    }

    deinit { PQfinish(handle) }

    /// Runs one statement with its parameters in text format.
    ///
    /// Throws `PostgresError`; after one with `isConnectionLost` the connection is of no more use.
    @discardableResult
    public func query(_ sql: String, _ parameters: [any PostgresParameter] = []) throws -> Rows {
        var texts: [UnsafePointer<CChar>?] = []
        texts.reserveCapacity(parameters.count)
        defer { for text in texts { free(UnsafeMutablePointer(mutating: text)) } }
        for (index, parameter) in parameters.enumerated() {
            let text = parameter.postgresText
            if let text, text.utf8.contains(0) {
                throw PostgresError(.dataException, "parameter $\(index + 1) holds a zero byte, which text can't")
            }
            texts.append(text.flatMap { UnsafePointer(strdup($0)) })
        }
        if preparesStatements {
            do {
                return try queryPrepared(sql, texts)
            } catch let error as PostgresError
                where error.sqlState == .invalidStatementName && PQtransactionStatus(handle) == PQTRANS_IDLE
            {
                // A transaction pooler gave us a server connection that never heard of the statement.
                preparesStatements = false
            }
        }
        return try run { PQsendQueryParams(handle, sql, Int32(texts.count), nil, texts, nil, nil, 0) }
    }

    /// Runs several statements without parameters, as psql would; the answer is the last one's.
    @discardableResult
    public func script(_ sql: String) throws -> Rows {
        try run { PQsendQuery(handle, sql) }
    }

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

    /// Whether it can take a statement: looks at the socket for a goodbye that came while nobody was reading.
    public var isUsable: Bool {
        guard isIdle else { return false }
        var descriptor = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
        guard poll(&descriptor, 1, 0) > 0 else { return true }
        return PQconsumeInput(handle) == 1 && isAlive
    }

    /// The server's process for this connection.
    public var serverProcess: Int32 { PQbackendPID(handle) }

    /// The socket's file descriptor; libpq keeps owning it.
    var socket: Int32 { PQsocket(handle) }

    /// Reads what has come, without waiting, and returns the notifications in it.
    func takeNotifications() throws -> [PostgresNotification] {
        guard PQconsumeInput(handle) == 1 else { throw lost() }
        var notifications: [PostgresNotification] = []
        while let notify = PQnotifies(handle) {
            notifications.append(
                PostgresNotification(
                    channel: String(cString: notify.pointee.relname), payload: String(cString: notify.pointee.extra)))
            PQfreemem(notify)
        }
        return notifications
    }

    /// A name as it may stand in SQL.
    public static func quoted(identifier: String) -> String {
        "\"" + identifier.replacing("\"", with: "\"\"") + "\""
    }

    private func commit() throws {
        let tag = try run(tagOnly: true) { PQsendQuery(handle, "COMMIT") }
        // COMMIT of a failed transaction is no error to the server: it answers ROLLBACK.
        guard tag.commandTag == "COMMIT" else {
            throw PostgresError(.transactionRolledBack, "the transaction was rolled back, an earlier statement failed")
        }
    }

    private func queryPrepared(_ sql: String, _ texts: [UnsafePointer<CChar>?]) throws -> Rows {
        // Named by content: behind a pooler an equal name can then only mean an equal statement.
        let name = "s" + String(FNV1a.hash(sql), radix: 16)
        if prepared[name] == nil {
            do {
                try run { PQsendPrepare(handle, name, sql, 0, nil) }
            } catch let error as PostgresError where error.sqlState == .duplicateStatement {}
            prepared[name] = [:]
        }
        let rows = try run(columns: prepared[name]) {
            PQsendQueryPrepared(handle, name, Int32(texts.count), texts, nil, nil, 0)
        }
        prepared[name] = rows.columns
        return rows
    }

    @discardableResult
    private func run(columns: [String: Int]? = nil, _ send: () -> Int32) throws -> Rows {
        try run(tagOnly: false, columns: columns, send).rows
    }

    /// Sends, waits within the time limit, and reads all results to the end.
    ///
    /// - Parameter columns: those of the answer, where they are known or empty.
    private func run(
        tagOnly: Bool, columns: [String: Int]? = nil, _ send: () -> Int32
    ) throws -> (rows: Rows, commandTag: String) {
        guard send() == 1 else { throw lost() }
        let deadline = ContinuousClock.now + statementTimeout
        var rows = Rows(columns: [:], values: [], affected: 0)
        var tag = ""
        var failure: PostgresError?
        while true {
            try waitForResult(until: deadline)
            guard let result = PQgetResult(handle) else { break }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY, PGRES_SINGLE_TUPLE:
                tag = String(cString: PQcmdStatus(result))
                if !tagOnly { rows = Rows(result: result, columns: columns ?? [:]) }
            default:
                failure = failure ?? PostgresError(result: result)
            }
        }
        if let failure { throw isAlive ? failure : PostgresError(.connectionLost, failure.message) }
        return (rows, tag)
    }

    private func waitForResult(until deadline: ContinuousClock.Instant) throws {
        while PQisBusy(handle) == 1 {
            let left = (deadline - .now).components
            let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
            var descriptor = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
            let ready = milliseconds < 0 ? 0 : poll(&descriptor, 1, Int32(clamping: milliseconds + 1))
            if ready == 0 {
                // The answer may still come; nobody would know to which question. The handle must not be used again.
                shutdown(PQsocket(handle), Int32(SHUT_RDWR))
                _ = PQconsumeInput(handle)
                throw PostgresError(.statementTimedOut, "no answer within \(statementTimeout)")
            }
            guard ready > 0 || errno == EINTR else { throw lost() }
            guard ready < 0 || PQconsumeInput(handle) == 1 else { throw lost() }
        }
    }

    private func lost() -> PostgresError {
        PostgresError(.connectionLost, String(cString: PQerrorMessage(handle)).trimmed)
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

/// The 64-bit FNV-1a hash (Fowler, Noll, Vo): the same in every process, unlike `Hasher`.
enum FNV1a {
    static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
