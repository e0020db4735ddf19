/// A path as the bytes the kernel has, which need not be UTF-8: any bytes but NUL. Ordered by those bytes.
public struct RawPath: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let bytes: [UInt8]

    /// A NUL and what follows it are dropped.
    public init(bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes.prefix { $0 != 0 })
    }

    public init(_ path: String) {
        self.init(bytes: path.utf8)
    }

    /// The path as text, nil when it is not UTF-8.
    public var string: String? { String(validating: bytes, as: UTF8.self) }

    /// The path for a message; bytes that are no UTF-8 appear as U+FFFD, so it may not be used to open a file.
    public var description: String { String(decoding: bytes, as: UTF8.self) }

    public static func < (left: RawPath, right: RawPath) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    /// This path with one more part.
    public func appending(_ part: RawPath) -> RawPath {
        if bytes.isEmpty { return part }
        return RawPath(
            bytes: bytes.last == UInt8(ascii: "/") ? bytes + part.bytes : bytes + [UInt8(ascii: "/")] + part.bytes)
    }

    /// The bytes after the last slash.
    public var lastPart: RawPath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return self }
        return RawPath(bytes: bytes[(slash + 1)...])
    }

    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (bytes + [0]).withUnsafeBytes { body($0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
    }
}
