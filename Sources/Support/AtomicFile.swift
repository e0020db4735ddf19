public import Glibc

/// A file that appears under its final name whole or not at all.
///
/// Bytes go to a hidden neighbour (`.NAME.PID.N.partial`); `commit()` flushes it with fsync(2), renames it over the
/// final name and flushes the folder, so that after a crash the name holds either the old content or the new. A file
/// that is not committed removes its neighbour when it goes.
public final class AtomicFile {
    public let path: String
    private let partialPath: String
    private var descriptor: Int32
    private var pending: [UInt8] = []
    private static let pendingLimit = 1 << 16

    /// Opens the hidden neighbour. Throws `SystemError` when the folder is missing or not writable.
    public init(path: String, permissions: mode_t = 0o644) throws(SystemError) {
        self.path = path
        let (folder, name) = Self.split(path)
        var attempt = 0
        var opened: Int32 = -1
        var candidate = ""
        repeat {
            candidate = "\(folder)/.\(name).\(getpid()).\(attempt).partial"
            opened = open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, permissions)
            attempt += 1
        } while opened < 0 && errno == EEXIST && attempt < 10_000
        if opened < 0 { throw SystemError("open", on: candidate) }
        partialPath = candidate
        descriptor = opened
    }

    deinit {
        if descriptor >= 0 {
            close(descriptor)
            unlink(partialPath)
        }
    }

    public func write(_ bytes: some Sequence<UInt8>) throws(SystemError) {
        pending.append(contentsOf: bytes)
        if pending.count >= Self.pendingLimit { try flush() }
    }

    public func write(_ text: String) throws(SystemError) {
        try write(text.utf8)
    }

    /// Writes large blocks (tensors) past the small buffer.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        try flush()
        try writeFully(bytes)
    }

    /// Makes the file visible under its final name. Afterwards the object is spent.
    ///
    /// - Parameter durably: whether to flush file and folder, which is waiting for the disk; false for what is soon written
    ///   again.
    public func commit(durably: Bool = true) throws(SystemError) {
        precondition(descriptor >= 0, "'\(path)' was committed before")
        try flush()
        if durably && fsync(descriptor) != 0 { throw SystemError("fsync", on: partialPath) }
        if rename(partialPath, path) != 0 { throw SystemError("rename", on: path) }
        close(descriptor)
        descriptor = -1
        if durably { try Self.flushFolder(of: path) }
    }

    /// Writes `bytes` to `path` in one go.
    public static func write(
        _ bytes: some Sequence<UInt8>, to path: String, permissions: mode_t = 0o644, durably: Bool = true
    ) throws(SystemError) {
        let file = try AtomicFile(path: path, permissions: permissions)
        try file.write(bytes)
        try file.commit(durably: durably)
    }

    /// Gives a file, which is never written in place, a second name; where a file system has no second names (exFAT, many
    /// network mounts) it is copied.
    public static func link(_ source: String, to path: String) throws(SystemError) {
        if Glibc.link(source, path) == 0 { return }
        guard [EPERM, EOPNOTSUPP, ENOSYS, EMLINK, EXDEV].contains(errno) else { throw SystemError("link", on: path) }
        try copy(source, to: path)
    }

    /// Copies a file, whatever its size.
    public static func copy(_ source: String, to path: String) throws(SystemError) {
        try AtomicFile(copyOf: source, path: path).commit()
    }

    /// The content of another file, whatever its size, written and flushed: what is left of `commit()` is next to nothing.
    public convenience init(copyOf source: String, path: String) throws(SystemError) {
        try self.init(path: path)
        let original = open(source, O_RDONLY | O_CLOEXEC)
        if original < 0 { throw SystemError("open", on: source) }
        defer { close(original) }
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { block.deallocate() }
        while true {
            let count = read(original, block.baseAddress, block.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("read", on: source)
            }
            if count == 0 { break }
            try write(UnsafeRawBufferPointer(rebasing: block[..<count]))
        }
        if fsync(descriptor) != 0 { throw SystemError("fsync", on: partialPath) }
    }

    /// fsync(2) of the folder that holds `path`: makes a rename or an unlink in it durable.
    public static func flushFolder(of path: String) throws(SystemError) {
        let folder = split(path).folder
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { throw SystemError("open", on: folder) }
        defer { close(descriptor) }
        if fsync(descriptor) != 0 { throw SystemError("fsync", on: folder) }
    }

    private func flush() throws(SystemError) {
        if pending.isEmpty { return }
        var failure: SystemError?
        pending.withUnsafeBytes { bytes in
            do throws(SystemError) { try writeFully(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        pending.removeAll(keepingCapacity: true)
    }

    private func writeFully(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var offset = 0
        while offset < bytes.count {
            let written = Glibc.write(descriptor, bytes.baseAddress! + offset, bytes.count - offset)
            if written < 0 {
                if errno == EINTR { continue }
                throw SystemError("write", on: partialPath)
            }
            offset += written
        }
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        return (folder, String(path[path.index(after: slash)...]))
    }
}
