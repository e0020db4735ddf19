internal import Glibc

/// One of CIFAR-10's binary files, read a record at a time. Read, not mapped: a file that is cut while it is mapped kills the
/// process.
final class PackedFile: Sendable {
    let count: Int
    private let descriptor: Int32

    /// Ten times as many as there are in a file of CIFAR-10.
    static let recordLimit = 100_000

    /// Opens it, see `FileBytes.open`. Throws what is wrong with it.
    init(_ path: RawPath) throws(ImageError) {
        let (descriptor, size) = try FileBytes.open(path)
        do throws(ImageError) {
            count = try Self.count(in: size)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    private static func count(in bytes: Int) throws(ImageError) -> Int {
        let length = CIFAR10Dataset.recordBytes
        guard bytes > 0, bytes % length == 0 else {
            throw ImageError(
                .unreadable,
                "the file has \(bytes) bytes, wanted a multiple of \(length): it is cut short or no CIFAR-10 binary file"
            )
        }
        guard bytes / length <= recordLimit else {
            throw ImageError(
                .tooLarge, "the file has \(bytes / length) records of CIFAR-10, the limit is \(recordLimit)")
        }
        return bytes / length
    }

    /// A record's bytes: label, red, green and blue plane.
    func read(_ record: Int) throws(ImageError) -> [UInt8] {
        precondition(record < count, "record \(record) of \(count)")
        let length = CIFAR10Dataset.recordBytes
        var failure: ImageError?
        let bytes = [UInt8](unsafeUninitializedCapacity: length) { buffer, filled in
            while filled < length {
                let got = pread(
                    descriptor, buffer.baseAddress! + filled, length - filled, off_t(record * length + filled))
                if got < 0 && errno == EINTR { continue }
                if got <= 0 {
                    failure =
                        got < 0
                        ? FileBytes.error("pread", errno)
                        : ImageError(.unreadable, "the file was cut while it was read")
                    return
                }
                filled += got
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
