/// The answer to one statement: rows in the server's order, copied out of libpq's memory.
public struct Rows: RandomAccessCollection, Sendable {
    let columns: [String: Int]
    private let values: [[String?]]
    /// Rows touched, for statements that say so (`UPDATE 3`); else the number of rows.
    public let affected: Int

    /// - Parameter columns: where in a row each column stands.
    init(columns: [String: Int], values: [[String?]], affected: Int) {
        self.columns = columns
        self.values = values
        self.affected = affected
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { values.count }
    public subscript(position: Int) -> Row { Row(columns: columns, values: values[position]) }
}

/// One row. Columns go by name.
public struct Row: Sendable {
    fileprivate let columns: [String: Int]
    fileprivate let values: [String?]

    /// Throws `PostgresError` if there is no such column, it is NULL, or its text is no such value.
    public func decode<Value: PostgresDecodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
        guard let value = try decodeIfPresent(name, as: type) else {
            throw PostgresError(.dataException, "column '\(name)' is NULL, wanted \(Value.self)")
        }
        return value
    }

    /// nil for NULL. Throws `PostgresError` if there is no such column or its text is no such value.
    public func decodeIfPresent<Value: PostgresDecodable>(
        _ name: String, as type: Value.Type = Value.self
    ) throws -> Value? {
        guard let position = columns[name] else {
            throw PostgresError(
                .dataException,
                "the answer has no column '\(name)', only \(columns.keys.sorted().joined(separator: ", "))")
        }
        guard let text = values[position] else { return nil }
        guard let value = Value(postgresText: text) else {
            throw PostgresError(.dataException, "column '\(name)' can't be read as \(Value.self)")
        }
        return value
    }
}
