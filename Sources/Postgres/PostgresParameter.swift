public import Foundation
internal import Support

/// A value that can go to the server as text, in place of `$1`, `$2`….
public protocol PostgresParameter: Sendable {
    /// PostgreSQL's input format of the value; nil is NULL.
    var postgresText: String? { get }
}

extension String: PostgresParameter {
    public var postgresText: String? { self }
}

extension Int: PostgresParameter {
    public var postgresText: String? { String(self) }
}

extension Int64: PostgresParameter {
    public var postgresText: String? { String(self) }
}

extension Int32: PostgresParameter {
    public var postgresText: String? { String(self) }
}

extension Double: PostgresParameter {
    public var postgresText: String? {
        isFinite ? String(self) : isNaN ? "NaN" : self < 0 ? "-Infinity" : "Infinity"
    }
}

extension Bool: PostgresParameter {
    public var postgresText: String? { self ? "true" : "false" }
}

/// As `timestamptz`, to the microsecond, in UTC.
extension Date: PostgresParameter {
    public var postgresText: String? { Timestamp.text(of: self) }
}

/// As `interval`, to the microsecond.
extension Duration: PostgresParameter {
    public var postgresText: String? {
        let (seconds, attoseconds) = components
        return "\(seconds) seconds \(attoseconds / 1_000_000_000_000) microseconds"
    }
}

extension Optional: PostgresParameter where Wrapped: PostgresParameter {
    public var postgresText: String? { self?.postgresText }
}

/// As an array. Elements are quoted, so that commas, braces and the word NULL are safe in them.
extension Array: PostgresParameter where Element: PostgresParameter {
    public var postgresText: String? {
        var array = "{"
        for (index, element) in enumerated() {
            if index > 0 { array += "," }
            guard let text = element.postgresText else {
                array += "NULL"
                continue
            }
            array += "\""
            if text.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") }) {
                array += text.replacing(scalars: ["\\": "\\\\", "\"": "\\\""])
            } else {
                array += text
            }
            array += "\""
        }
        return array + "}"
    }
}
