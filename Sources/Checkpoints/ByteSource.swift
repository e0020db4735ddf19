import Glibc
import Support

/// Bytes of a file or of memory, read once from front to back, that know how many are left.
///
/// A file is read in pieces: nothing is allocated by a size that only the file's content claims, and a file of zeros
/// with a terabyte of length is refused at its first byte. It is not mapped into memory, because a file cut short by
/// another process would then end this one with SIGBUS.
final class ByteSource {
    private let descriptor: Int32
    private let path: String
    private var buffer: [UInt8]
    private var position = 0
    /// Bytes of the file that are not in the buffer yet.
    private var unread: Int

    private static let bufferSize = 1 << 18
    /// A sparse file costs its owner nothing and its reader all memory; the largest network needs 60 MB.
    private static let fileLimit = 8 << 30

    /// The bytes not taken yet.
    var remaining: Int { unread + buffer.count - position }

    init(_ bytes: [UInt8]) {
        descriptor = -1
        path = ""
        buffer = bytes
        unread = 0
    }

    /// Opens a regular file. Throws when there is none or it cannot be read.
    init(path: String) throws(CheckpointError) {
        // O_NONBLOCK: a FIFO of that name must not hang the open.
        let opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if opened < 0 {
            if errno == ENOENT { throw CheckpointError("there is no such file") }
            throw CheckpointError(SystemError("open", on: path))
        }
        var status = stat()
        guard fstat(opened, &status) == 0 else {
            let failure = SystemError("fstat", on: path)
            close(opened)
            throw CheckpointError(failure)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(opened)
            throw CheckpointError("it is not a regular file")
        }
        guard status.st_size <= Self.fileLimit else {
            close(opened)
            throw CheckpointError("it has \(status.st_size) bytes, the limit is \(Self.fileLimit)")
        }
        descriptor = opened
        self.path = path
        buffer = []
        unread = Int(status.st_size)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// The last `count` bytes, without taking them; nil when there are fewer. Only before the first `take`.
    func tail(_ count: Int) throws(CheckpointError) -> [UInt8]? {
        guard remaining >= count else { return nil }
        if descriptor < 0 { return Array(buffer.suffix(count)) }
        return try readFile(count) { pread(descriptor, $0, $1, off_t(unread - count + $2)) }
    }

    /// Gives up the last `count` bytes, which were looked at by `tail`. Only before the first `take`.
    func dropTail(_ count: Int) {
        if descriptor < 0 { buffer.removeLast(count) } else { unread -= count }
    }

    /// The next byte; the caller has checked `remaining`.
    func takeByte() throws(CheckpointError) -> UInt8 {
        if position == buffer.count { try fill() }
        defer { position += 1 }
        return buffer[position]
    }

    /// The next `count` bytes; the caller has checked `remaining`.
    func take(_ count: Int) throws(CheckpointError) -> [UInt8] {
        precondition(count <= remaining, "\(count) bytes wanted, \(remaining) left")
        let present = min(count, buffer.count - position)
        var bytes = Array(buffer[position..<position + present])
        position += present
        if bytes.count < count {
            let rest = count - bytes.count
            bytes += try readFile(rest) { place, size, _ in read(descriptor, place, size) }
            unread -= rest
        }
        return bytes
    }

    private func fill() throws(CheckpointError) {
        let count = min(unread, Self.bufferSize)
        buffer = try readFile(count) { place, size, _ in read(descriptor, place, size) }
        unread -= count
        position = 0
    }

    /// Calls read(2) or pread(2), given a place, a size and the bytes read so far, until `count` bytes are there.
    private func readFile(
        _ count: Int, call: (UnsafeMutableRawPointer, Int, Int) -> Int
    ) throws(CheckpointError) -> [UInt8] {
        var failure: CheckpointError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { place, filled in
            while filled < count {
                let got = call(UnsafeMutableRawPointer(place.baseAddress! + filled), count - filled, filled)
                if got < 0 {
                    if errno == EINTR { continue }
                    failure = CheckpointError(SystemError("read", on: path))
                    return
                }
                if got == 0 {
                    failure = CheckpointError("the file became shorter while it was read")
                    return
                }
                filled += got
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
