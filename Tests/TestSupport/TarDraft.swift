/// A tar made by hand, for what no honest tool would put into one. POSIX ustar, see tar(5) of libarchive.
public struct TarDraft {
    public private(set) var bytes: [UInt8] = []

    /// Kinds of entries, by their letter in the header.
    public enum Kind: String, Sendable {
        case file = "0"
        case hardLink = "1"
        case symbolicLink = "2"
        case characterDevice = "3"
        case blockDevice = "4"
        case folder = "5"
        case fifo = "6"
    }

    public init() {}

    public mutating func add(_ name: String, _ kind: Kind = .file, content: String = "", target: String = "") {
        let data = kind == .file ? Array(content.utf8) : []
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            header.replaceSubrange(offset..<(offset + text.utf8.count), with: Array(text.utf8))
        }
        func octal(_ number: Int, digits: Int) -> String {
            let text = String(number, radix: 8)
            return String(repeating: "0", count: digits - text.count) + text
        }
        put(name, at: 0)
        put("0000644", at: 100)
        put("0000000", at: 108)
        put("0000000", at: 116)
        put(octal(data.count, digits: 11), at: 124)
        put("00000000000", at: 136)
        put("        ", at: 148)
        put(kind.rawValue, at: 156)
        put(target, at: 157)
        put("ustar", at: 257)
        put("00", at: 263)
        put("0000001", at: 329)
        put("0000003", at: 337)
        put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6) + "\0", at: 148)
        bytes += header + data + [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
    }

    /// The archive with the mark of its end.
    public var ended: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }
}
