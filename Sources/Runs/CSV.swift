import Support

/// Rows of RFC 4180: comma, CRLF, quotes only where a field needs them.
enum CSV {
    static func line(_ fields: [String]) -> String {
        fields.map(quoted).joined(separator: ",") + "\r\n"
    }

    /// A field as it stands in a row. Semicolons are quoted too: some spreadsheets take them for the separator.
    static func quoted(_ field: String) -> String {
        let needsQuotes = field.utf8.contains { [0x2C, 0x3B, 0x22, 0x0A, 0x0D].contains($0) }
        return needsQuotes ? "\"" + field.replacing(scalars: ["\"": "\"\""]) + "\"" : field
    }

    /// The fields of a record, without its line end.
    static func fields(_ record: some Collection<UInt8>) -> [String] {
        var fields: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        var afterQuote = false
        for byte in record {
            switch byte {
            case 0x22:
                // Two in a quoted field are one.
                if afterQuote { field.append(byte) }
                afterQuote = isQuoted
                isQuoted.toggle()
                continue
            case 0x2C where !isQuoted:
                fields.append(String(decoding: field, as: UTF8.self))
                field.removeAll(keepingCapacity: true)
            case 0x0D where !isQuoted, 0x0A where !isQuoted: break
            default: field.append(byte)
            }
            afterQuote = false
        }
        return fields + [String(decoding: field, as: UTF8.self)]
    }
}

/// The records of an RFC 4180 text, each with its line end. Quotes may hold line ends.
struct CSVRecords<Bytes: RandomAccessCollection<UInt8>>: Sequence, IteratorProtocol {
    private let bytes: Bytes
    private var start: Bytes.Index

    init(_ bytes: Bytes) {
        self.bytes = bytes
        start = bytes.startIndex
    }

    mutating func next() -> Bytes.SubSequence? {
        if start == bytes.endIndex { return nil }
        var isQuoted = false
        var end = start
        while end < bytes.endIndex {
            let byte = bytes[end]
            end = bytes.index(after: end)
            if byte == 0x22 { isQuoted.toggle() }
            if byte == 0x0A && !isQuoted { break }
        }
        defer { start = end }
        return bytes[start..<end]
    }
}
