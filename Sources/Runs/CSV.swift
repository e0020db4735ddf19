import Foundation

/// Rows of RFC 4180: comma, CRLF, quotes only where a field needs them.
enum CSV {
    static func line(_ fields: [String]) -> String {
        fields.map(quoted).joined(separator: ",") + "\r\n"
    }

    /// A field as it stands in a row. Semicolons are quoted too: some spreadsheets take them for the separator.
    static func quoted(_ field: String) -> String {
        let needsQuotes = field.utf8.contains { [0x2C, 0x3B, 0x22, 0x0A, 0x0D].contains($0) }
        return needsQuotes ? "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : field
    }
}
