/// A five-character code of PostgreSQL's "Error Codes" appendix; its first two characters are the class.
public struct SQLState: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    public var description: String { rawValue }

    /// The first two characters.
    public var errorClass: String { String(rawValue.prefix(2)) }

    public static let unableToConnect = SQLState(rawValue: "08001")
    public static let connectionLost = SQLState(rawValue: "08006")
    /// The client's own limit; the server may still be at it.
    public static let statementTimedOut = SQLState(rawValue: "08S01")
    public static let dataException = SQLState(rawValue: "22000")
    public static let checkViolation = SQLState(rawValue: "23514")
    public static let uniqueViolation = SQLState(rawValue: "23505")
    public static let invalidStatementName = SQLState(rawValue: "26000")
    public static let duplicateStatement = SQLState(rawValue: "42P05")
    public static let noData = SQLState(rawValue: "02000")
    public static let prerequisiteMissing = SQLState(rawValue: "55000")
    public static let transactionRolledBack = SQLState(rawValue: "40000")
}
