/// Text from outside (names of files and classes, messages of libraries) made safe for a CSV that people open in
/// spreadsheets and scripts read line by line. Reversible:
///
/// - A backslash becomes `\\`.
/// - A byte that is no part of valid UTF-8, a control character (below U+0020, U+007F to U+009F) and the line ends
///   U+2028 and U+2029 become `\xHH`, one for each byte.
/// - A spreadsheet takes a field that begins with `=`, `+`, `-` or `@` (also in their full-width forms) for a formula. A
///   path that begins so gets `./` in front, which names the same file; of other text the first character becomes
///   `\xHH`.
/// - Where a semicolon separates fields, quotes in the middle of a row protect nothing: one that such a character
///   follows, spaces and quotes between them left aside, becomes `\x3B`.
///
/// Back: `\\` is a backslash, `\xHH` a byte.
public enum SafeText {
    public static func escaped(_ text: String) -> String {
        let plain = escaped(bytes: Array(text.utf8))
        guard let first = plain.unicodeScalars.first, beginsFormula(first) else { return plain }
        return first.utf8.map(hexadecimal).joined() + String(plain.unicodeScalars.dropFirst())
    }

    /// A path relative to a folder: it never begins with `./` itself.
    public static func escaped(path: RawPath) -> String {
        let plain = escaped(bytes: path.bytes)
        guard let first = plain.unicodeScalars.first, beginsFormula(first) else { return plain }
        return "./" + plain
    }

    private static func escaped(bytes: [UInt8]) -> String {
        // Nearly every name is plain ASCII.
        if bytes.allSatisfy({ 0x20...0x7E ~= $0 && $0 != 0x5C && $0 != 0x3B }) {
            return String(decoding: bytes, as: UTF8.self)
        }
        var text = ""
        var place = 0
        while place < bytes.count {
            var rest = bytes[place...].makeIterator()
            var parser = Unicode.UTF8.ForwardParser()
            switch parser.parseScalar(from: &rest) {
            case .valid(let encoded):
                let scalar = Unicode.UTF8.decode(encoded)
                if scalar == "\\" {
                    text += "\\\\"
                } else if breaksLines(scalar) || (scalar == ";" && precedesFormula(bytes[(place + 1)...])) {
                    text += encoded.map(hexadecimal).joined()
                } else {
                    text.unicodeScalars.append(scalar)
                }
                place += encoded.count
            case .error, .emptyInput:
                text += hexadecimal(bytes[place])
                place += 1
            }
        }
        return text
    }

    private static func breaksLines(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || 0x7F...0x9F ~= scalar.value || scalar.value == 0x2028 || scalar.value == 0x2029
    }

    private static func precedesFormula(_ rest: ArraySlice<UInt8>) -> Bool {
        let next = String(decoding: rest.drop { [0x20, 0x22, 0x27].contains($0) }.prefix(4), as: UTF8.self)
        return next.unicodeScalars.first.map(beginsFormula) ?? false
    }

    private static func beginsFormula(_ scalar: Unicode.Scalar) -> Bool {
        ["=", "+", "-", "@", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}"].contains(scalar)
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = Array("0123456789ABCDEF")
        return "\\x\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }
}
