internal import CLibpq

/// What the server, or the way to it, had against a statement.
public struct PostgresError: Error, Sendable, Equatable, CustomStringConvertible {
    public let sqlState: SQLState
    /// The primary message: short, factual.
    public let message: String
    /// May quote values of rows, so it is not part of `description`.
    public let detail: String?
    public let hint: String?
    /// The constraint's name, where one was violated.
    public let constraint: String?

    public init(
        _ sqlState: SQLState, _ message: String, detail: String? = nil, hint: String? = nil, constraint: String? = nil
    ) {
        self.sqlState = sqlState
        self.message = message
        self.detail = detail
        self.hint = hint
        self.constraint = constraint
    }

    /// Takes the fields out of a failed result; the caller still frees it.
    init(result: OpaquePointer) {
        func field(_ code: Character) -> String? {
            guard let text = PQresultErrorField(result, Int32(code.asciiValue ?? 0)) else { return nil }
            return String(cString: text)
        }
        // The letters are PG_DIAG_SQLSTATE and its neighbours of postgres_ext.h: Swift does not import char macros.
        self.init(
            field("C").map(SQLState.init(rawValue:)) ?? .connectionLost,
            field("M") ?? String(cString: PQresultErrorMessage(result)).oneLine,
            detail: field("D"), hint: field("H"), constraint: field("n"))
    }

    /// Whether the connection is of no more use, so that it is unknown if the last statement was committed.
    ///
    /// Of class 57 (operator intervention) not 57014: a cancelled statement leaves the connection as it was.
    public var isConnectionLost: Bool { sqlState.errorClass == "08" || sqlState.rawValue.hasPrefix("57P") }

    /// Whether the same statement may succeed later without a change to it: the connection was lost, the server has no space,
    /// is read-only for the moment or was told to stop it, or other transactions stood in the way.
    public var isPassing: Bool {
        isConnectionLost || ["40", "53", "55"].contains(sqlState.errorClass)
            || ["25006", "57014"].contains(sqlState.rawValue)
    }

    /// The message (without the values that a data exception quotes), the hint, the code.
    public var description: String {
        var text = message
        if sqlState.errorClass == "22", let quote = text.firstIndex(of: "\"") {
            text = String(text[..<quote]) + "…"
        }
        if let hint { text += ". " + hint }
        return "\(text) [SQLSTATE \(sqlState)]"
    }
}

extension String {
    /// Without white space at both ends; libpq's messages end in a newline.
    var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }

    /// Several lines, as libpq writes of several addresses, as one: a log has a line a message.
    var oneLine: String {
        split(whereSeparator: \.isNewline).map { String($0).trimmed }.filter { !$0.isEmpty }.joined(separator: "; ")
    }
}
