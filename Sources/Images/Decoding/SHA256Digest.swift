internal import Crypto

/// The SHA-256 of a file's bytes: 32 bytes, shown as 64 hexadecimal digits.
public struct SHA256Digest: Sendable, Hashable, CustomStringConvertible {
    public static let byteCount = 32

    public let bytes: [UInt8]

    /// A digest that was computed elsewhere.
    init(bytes: [UInt8]) {
        precondition(bytes.count == Self.byteCount, "\(bytes.count) bytes are no SHA-256")
        self.bytes = bytes
    }

    public init(of data: UnsafeRawBufferPointer) {
        var hash = SHA256()
        hash.update(bufferPointer: data)
        bytes = Array(hash.finalize())
    }

    public var description: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
