internal import Glibc

/// The bytes of one file after another, in memory that is kept from file to file. Read, not mapped: a file that is
/// cut while it is mapped kills the process.
final class FileBytes {
    private var storage: UnsafeMutableRawPointer
    private var capacity = 1 << 16
    private(set) var count = 0

    init() {
        storage = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
    }

    deinit {
        storage.deallocate()
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage, count: count) }

    /// Opens a regular file, for the caller to close, and tells its size in bytes. No symbolic link is followed, and a pipe or
    /// a device is not opened for reading, so that a dropped folder cannot make this process read what its owner could not, or
    /// wait for ever.
    static func open(_ path: RawPath) throws(ImageError) -> (descriptor: Int32, size: Int) {
        let descriptor = path.openUnlinked(O_RDONLY | O_NONBLOCK | O_NOCTTY)
        if descriptor < 0 { throw error(openingFailed: errno) }
        var facts = stat()
        var failure: ImageError?
        if fstat(descriptor, &facts) != 0 {
            failure = error("fstat", errno)
        } else if facts.st_mode & S_IFMT != S_IFREG {
            failure = ImageError(.unsupported, "it is \(kind(of: facts.st_mode)), not a regular file")
        }
        if let failure {
            close(descriptor)
            throw failure
        }
        return (descriptor, Int(facts.st_size))
    }

    /// Reads a whole regular file, see `open`.
    func read(_ path: RawPath, limit: Int) throws(ImageError) {
        count = 0
        let (descriptor, size) = try Self.open(path)
        defer { close(descriptor) }
        guard size <= limit else {
            throw ImageError(.tooLarge, "the file has \(size) bytes, the limit is \(limit)")
        }
        reserve(size + 1)
        while true {
            // One byte more than the size is asked for, so that a file that grew is noticed.
            let got = Glibc.read(descriptor, storage + count, capacity - count)
            if got < 0 {
                if errno == EINTR { continue }
                throw Self.error("read", errno)
            }
            if got == 0 { return }
            count += got
            if count > limit {
                count = 0
                throw ImageError(.tooLarge, "the file has more than \(limit) bytes, the limit")
            }
            if count == capacity { reserve(capacity + 1) }
        }
    }

    /// Gives memory above `bytes` back.
    func trim(above bytes: Int) {
        if capacity <= bytes { return }
        storage.deallocate()
        capacity = 1 << 16
        count = 0
        storage = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
    }

    private func reserve(_ wanted: Int) {
        if wanted <= capacity { return }
        let larger = max(wanted, capacity * 2)
        let grown = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 64)
        grown.copyMemory(from: storage, byteCount: count)
        storage.deallocate()
        storage = grown
        capacity = larger
    }

    private static func error(openingFailed code: Int32) -> ImageError {
        switch code {
        case ENOENT, ENOTDIR: ImageError(.missing, "the file is not there any more")
        case ELOOP: ImageError(.unsupported, "it is a symbolic link or lies behind one, and links are not followed")
        case ENXIO: ImageError(.unsupported, "it is a socket or a pipe, not a regular file")
        default: error("open", code)
        }
    }

    static func error(_ call: String, _ code: Int32) -> ImageError {
        ImageError(.unreadable, "\(call): \(String(cString: strerror(code)))")
    }

    private static func kind(of mode: mode_t) -> String {
        switch mode & S_IFMT {
        case S_IFDIR: "a folder"
        case S_IFIFO: "a pipe"
        case S_IFSOCK: "a socket"
        default: "a device"
        }
    }
}
