internal import Crypto

/// The name of a file or folder as the kernel keeps it: any bytes but `/` and NUL.
///
/// People, rows and JSON see `escaped`: bytes that are not UTF-8 and control characters become `%XX`, and so does a
/// `%` that two hexadecimal digits follow, so that `unescape` gives the bytes back.
public struct EntryName: Hashable, Sendable, CustomStringConvertible {
    public let bytes: [UInt8]

    public init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    public init(_ text: String) {
        bytes = Array(text.utf8)
    }

    public var escaped: String { Self.escape(bytes) }
    public var description: String { escaped }

    /// Names with a leading dot are their writer's own affair: temporary files, trash folders.
    var isHidden: Bool { bytes.first == UInt8(ascii: ".") }

    /// The longest stem that leaves room in a file name (255 bytes) for `.`, a number and a suffix of ours.
    static let longestStem = 200

    /// `escaped`, cut to a length that can carry a suffix. A cut stem ends in `~` and a piece of the whole name's
    /// SHA-256, so that two long names stay two.
    public var stem: String {
        let whole = escaped
        if whole.utf8.count <= Self.longestStem { return whole }
        let digest = SHA256.hash(data: bytes).prefix(4).map { Self.hexadecimal($0) }.joined().lowercased()
        var cut = ""
        for character in whole {
            if cut.utf8.count + character.utf8.count > Self.longestStem - 9 { break }
            cut.append(character)
        }
        return "\(cut)~\(digest)"
    }

    public static func escape(_ bytes: [UInt8]) -> String {
        var text = ""
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte < 0x80 {
                let startsEscape =
                    byte == UInt8(ascii: "%") && index + 2 < bytes.count && isHexadecimal(bytes[index + 1])
                    && isHexadecimal(bytes[index + 2])
                if byte < 0x20 || byte == 0x7F || startsEscape {
                    text += "%" + hexadecimal(byte)
                } else {
                    text.unicodeScalars.append(Unicode.Scalar(byte))
                }
                index += 1
                continue
            }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
            let end = min(index + length, bytes.count)
            if let piece = String(validating: bytes[index..<end], as: UTF8.self), !hasControl(piece) {
                text += piece
                index = end
            } else {
                text += "%" + hexadecimal(byte)
                index += 1
            }
        }
        return text
    }

    /// The bytes that `escape` was given.
    public static func unescape(_ text: String) -> [UInt8] {
        let source = Array(text.utf8)
        var bytes: [UInt8] = []
        var index = 0
        while index < source.count {
            if source[index] == UInt8(ascii: "%"), index + 2 < source.count,
                isHexadecimal(source[index + 1]), isHexadecimal(source[index + 2]),
                let value = UInt8(String(decoding: source[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                index += 3
            } else {
                bytes.append(source[index])
                index += 1
            }
        }
        return bytes
    }

    /// The C1 controls, which terminals obey as they obey the ASCII ones.
    private static func hasControl(_ text: String) -> Bool {
        text.unicodeScalars.contains { (0x80...0x9F).contains($0.value) }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.count == 1 ? "0" + digits : digits
    }

    func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        let terminated = (bytes + [0]).map { CChar(bitPattern: $0) }
        return try terminated.withUnsafeBufferPointer { try body($0.baseAddress!) }
    }
}
