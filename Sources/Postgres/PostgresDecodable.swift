public import Foundation

/// A value that can be read from PostgreSQL's output text.
public protocol PostgresDecodable: Sendable {
    /// nil if the text is no such value.
    init?(postgresText: String)
}

extension String: PostgresDecodable {
    public init?(postgresText: String) { self = postgresText }
}

extension Int: PostgresDecodable {
    public init?(postgresText: String) { self.init(postgresText) }
}

extension Int64: PostgresDecodable {
    public init?(postgresText: String) { self.init(postgresText) }
}

extension Double: PostgresDecodable {
    public init?(postgresText: String) { self.init(postgresText) }
}

extension Bool: PostgresDecodable {
    public init?(postgresText: String) {
        switch postgresText {
        case "t", "true": self = true
        case "f", "false": self = false
        default: return nil
        }
    }
}

/// Reads `timestamptz` in any session time zone, `DateStyle` ISO.
extension Date: PostgresDecodable {
    public init?(postgresText: String) {
        guard let date = Timestamp.date(from: postgresText) else { return nil }
        self = date
    }
}

/// Reads seconds: select `extract(epoch from …)`, the text of `interval` depends on the session.
extension Duration: PostgresDecodable {
    public init?(postgresText: String) {
        guard let seconds = Double(postgresText), seconds.isFinite, abs(seconds) < 1e12 else { return nil }
        self = .microseconds(Int64((seconds * 1e6).rounded()))
    }
}
