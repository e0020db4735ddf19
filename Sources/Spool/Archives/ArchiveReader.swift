internal import CArchive
internal import Glibc

/// The entries of one archive, in order: zip, tar, or tar in gzip, whatever its name says.
final class ArchiveReader {
    enum Sort: Equatable {
        case folder, file
        /// Anything else, with its noun.
        case other(String)
    }

    struct Entry {
        let path: [UInt8]
        let sort: Sort
        /// As the archive claims.
        let size: Int64?
        let isEncrypted: Bool
    }

    /// What libarchive says is wrong.
    struct Damage: Error {
        let sentence: String
    }

    private let reader: OpaquePointer
    private let descriptor: Int32

    /// The descriptor stays the caller's.
    init(descriptor: Int32) throws(Damage) {
        guard let reader = carchive_open(descriptor) else { throw Damage(sentence: "there is no memory to read it") }
        self.reader = reader
        self.descriptor = descriptor
    }

    deinit {
        carchive_close(reader)
    }

    /// `nil` behind the last entry.
    func next() throws(Damage) -> Entry? {
        var entry = carchive_entry()
        switch carchive_next(reader, &entry) {
        case 0:
            if carchive_is_bare_tar(reader) != 0 { try requireEnd() }
            return nil
        case 1: break
        default: throw damage()
        }
        guard let path = entry.path else { throw Damage(sentence: "an entry has no name") }
        return Entry(
            path: Array(UnsafeRawBufferPointer(start: path, count: strlen(path))), sort: Self.sort(entry.sort),
            size: entry.size < 0 ? nil : entry.size, isEncrypted: entry.is_encrypted != 0)
    }

    private static func sort(_ sort: carchive_sort) -> Sort {
        switch sort {
        case CARCHIVE_FOLDER: .folder
        case CARCHIVE_FILE: .file
        case CARCHIVE_SYMBOLIC_LINK: .other("symbolic link")
        case CARCHIVE_HARD_LINK: .other("hard link")
        case CARCHIVE_FIFO: .other("named pipe (FIFO)")
        case CARCHIVE_SOCKET: .other("socket")
        case CARCHIVE_BLOCK_DEVICE: .other("block device")
        case CARCHIVE_CHARACTER_DEVICE: .other("character device")
        default: .other("thing of an unknown sort")
        }
    }

    /// The next bytes of the entry's data; 0 at its end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(Damage) -> Int {
        let count = carchive_read(reader, buffer.baseAddress, buffer.count)
        if count < 0 { throw damage() }
        return Int(count)
    }

    /// A bare tar that is cut off between two entries reads well to its end, only the zeros behind the last are missing.
    private func requireEnd() throws(Damage) {
        var tail = [UInt8](repeating: 1, count: 1024)
        let end = lseek(descriptor, 0, SEEK_END)
        guard pread(descriptor, &tail, tail.count, end - tail.count) == tail.count, tail.allSatisfy({ $0 == 0 })
        else { throw Damage(sentence: "it ends without the mark of its end, so it was cut off") }
    }

    private func damage() -> Damage {
        Damage(sentence: String(cString: carchive_error(reader)))
    }
}
