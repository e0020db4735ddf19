internal import Foundation

/// A JSON value kept as its text, as `jsonb` columns hold it. What the keys mean is known to the runs, not here.
public struct JSONDocument: Hashable, Sendable, CustomStringConvertible {
    /// The UTF-8 text of one JSON value.
    public let text: String

    /// Takes the text as it is; PostgreSQL refuses it later if it is no JSON.
    public init(text: String) { self.text = text }

    /// Throws what `JSONEncoder` throws. Keys are sorted, so that equal values give equal texts.
    public init(encoding value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.text = String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    public static let emptyObject = JSONDocument(text: "{}")

    /// Throws `DecodingError`.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    public var description: String { text }
}
