internal import Glibc

/// A whole plain file mapped read-only, for data sets that are one big file; no link is followed to it. A file that is cut
/// while it is mapped kills the reader (SIGBUS), which costs the run and is why pictures are read instead.
final class MappedFile: @unchecked Sendable {
    // Unchecked: the mapping is never written.
    let bytes: UnsafeRawBufferPointer

    init(_ path: RawPath) throws(DatasetError) {
        func failure(_ call: String) -> DatasetError {
            DatasetError("could not read '\(path)': \(call): \(String(cString: strerror(errno)))")
        }
        let descriptor = path.openUnlinked(O_RDONLY | O_NONBLOCK | O_NOCTTY)
        if descriptor < 0 {
            guard errno == ELOOP else { throw failure("open") }
            throw DatasetError("could not read '\(path)': it is a symbolic link, and links are not followed")
        }
        defer { close(descriptor) }
        var facts = stat()
        if fstat(descriptor, &facts) != 0 { throw failure("fstat") }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            throw DatasetError("could not read '\(path)': it is not a regular file")
        }
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
