internal import CIsolation
internal import Glibc

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

    /// What comes before the last part: `.` for a name alone.
    var folder: RawPath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return RawPath(".") }
        return RawPath(bytes: bytes[..<max(slash, 1)])
    }

    /// The bytes after the last slash.
    public var lastPart: RawPath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return self }
        return RawPath(bytes: bytes[(slash + 1)...])
    }

    /// The same place without links on the way, realpath(3); the path itself when there is no such place.
    var resolved: RawPath {
        guard let real = withCString({ realpath($0, nil) }) else { return self }
        defer { free(real) }
        return RawPath(bytes: UnsafeRawBufferPointer(start: real, count: strlen(real)))
    }

    /// Whether it leads to a folder, through links too.
    var isFolder: Bool {
        var status = stat()
        return withCString { stat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Opens what the path names, with the flags of open(2), without following a link in any part of it: whoever can
    /// write to a dropped folder could put one there after it was inspected. -1 and ELOOP for a link.
    func openUnlinked(_ flags: Int32) -> Int32 {
        withCString { path in
            let opened = cisolation_open_unlinked(path, flags | O_NOFOLLOW)
            // ENOSYS: a kernel before 5.6. EPERM: the seccomp filter of an old container runtime.
            guard opened < 0, errno == ENOSYS || errno == EPERM else { return opened }
            return open(path, flags | O_NOFOLLOW | O_CLOEXEC)
        }
    }

    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (bytes + [0]).withUnsafeBytes { body($0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
    }
}
