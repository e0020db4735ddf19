internal import Glibc

/// A whole file mapped read-only. A file that is cut while it is mapped kills the reader (SIGBUS): only for files that
/// the daemon or the user owns, never for pictures that somebody dropped.
final class MappedFile: @unchecked Sendable {
    // Unchecked: the mapping is never written.
    let bytes: UnsafeRawBufferPointer

    init(_ path: String) throws(DatasetError) {
        func failure(_ call: String) -> DatasetError {
            DatasetError("could not read '\(path)': \(call): \(String(cString: strerror(errno)))")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { throw failure("open") }
        defer { close(descriptor) }
        var facts = stat()
        if fstat(descriptor, &facts) != 0 { throw failure("fstat") }
        let size = Int(facts.st_size)
        if size == 0 {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw failure("mmap")
        }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
    }

    deinit {
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
    }
}
