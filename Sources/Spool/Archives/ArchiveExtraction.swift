internal import CArchive
internal import Glibc
internal import Support

/// Writes what an archive holds into an empty folder, which nothing can leave: each part of a path is made or opened
/// by itself beneath the one before, no link is ever made or followed, and nothing that is there is written to.
struct ArchiveExtraction {
    let reader: ArchiveReader
    let target: FolderHandle
    let limits: ArchiveLimits
    /// Size of the archive.
    let packed: Int64

    /// Not enough room for now.
    struct OutOfSpace: Error {}

    private static let spaceInterval: Int64 = 64 << 20

    /// Throws `Refusal`, `OutOfSpace`, `SystemError` or `ArchiveReader.Damage`.
    func run() throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
        defer { buffer.deallocate() }
        var (entries, total) = (0, Int64(0))
        var nextLook: Int64 = 0
        while let entry = try reader.next() {
            entries += 1
            if entries > limits.entries { throw Refusal.tooManyArchiveEntries(limits.entries) }
            guard let parts = try parts(of: entry) else { continue }
            if entry.isEncrypted { throw Refusal.encryptedArchive(EntryName.escape(entry.path)) }
            switch entry.sort {
            case .other(let noun):
                throw Refusal.unsafeEntry(EntryName.escape(entry.path), "is a \(noun)")
            case .folder: _ = try folder(parts[...], of: entry)
            case .file:
                if let size = entry.size, size > limits.bytes - total {
                    throw Refusal.tooLargeUnpacked(limits.bytes)
                }
                let file = try create(parts.last!, in: try folder(parts.dropLast(), of: entry), of: entry)
                defer { close(file) }
                while case let count = try reader.read(into: buffer), count > 0 {
                    total += Int64(count)
                    if total > limits.bytes { throw Refusal.tooLargeUnpacked(limits.bytes) }
                    if total > ArchiveLimits.ratioFloor, total / Int64(limits.ratio) > packed {
                        throw Refusal.tooDensePacked(limits.ratio)
                    }
                    if total >= nextLook {
                        if try target.freeBytes() < limits.minimumFree { throw OutOfSpace() }
                        nextLook = total + Self.spaceInterval
                    }
                    try write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), to: file, entry)
                }
            }
        }
    }

    /// The parts of an entry's path; `nil` for the top itself and for what is left out.
    private func parts(of entry: ArchiveReader.Entry) throws -> [EntryName]? {
        let label = EntryName.escape(entry.path)
        if entry.path.first == UInt8(ascii: "/") { throw Refusal.unsafeEntry(label, "is an absolute path") }
        let parts = entry.path.split(separator: UInt8(ascii: "/")).map { EntryName(bytes: Array($0)) }
            .filter { $0.bytes != [UInt8(ascii: ".")] }
        if parts.contains(where: { $0.bytes == Array("..".utf8) }) {
            throw Refusal.unsafeEntry(label, "leads out of the folder ('..')")
        }
        guard let first = parts.first else { return nil }
        if first == EntryName(ArchiveFile.macintoshShadows) { return nil }
        if parts.contains(EntryName(ArchiveFile.shelf)) {
            throw Refusal.unsafeEntry(label, "has the name '\(ArchiveFile.shelf)', which is the daemon's")
        }
        let depth = parts.count - (entry.sort == .folder ? 0 : 1)
        // One level more than a folder: the archive may hold the folder itself.
        if depth > limits.depth + 1 { throw Refusal.archiveTooDeep(label, limits.depth) }
        return parts
    }

    private func folder(_ parts: ArraySlice<EntryName>, of entry: ArchiveReader.Entry) throws -> FolderHandle {
        var folder = target
        for part in parts { folder = try enter(part, in: folder, of: entry) }
        return folder
    }

    private func enter(
        _ part: EntryName, in folder: FolderHandle, of entry: ArchiveReader.Entry
    ) throws -> FolderHandle {
        let trouble: SystemError
        do throws(SystemError) {
            try folder.makeFolder(part, permissions: 0o2770)
            return try folder.openFolder(part)
        } catch {
            trouble = error
        }
        guard [ENOTDIR, ELOOP, ENAMETOOLONG].contains(trouble.code) else { throw trouble }
        throw Refusal.unsafeEntry(
            EntryName.escape(entry.path), "cannot be made: \(String(cString: strerror(trouble.code)))")
    }

    private func create(
        _ name: EntryName, in folder: FolderHandle, of entry: ArchiveReader.Entry
    ) throws -> Int32 {
        let file = name.withCString { carchive_create_file(folder.descriptor, $0) }
        if file >= 0 { return file }
        switch errno {
        case EEXIST: throw Refusal.unsafeEntry(EntryName.escape(entry.path), "is in it twice")
        case ENAMETOOLONG: throw Refusal.unsafeEntry(EntryName.escape(entry.path), "has too long a name")
        default: throw SystemError("openat", on: EntryName.escape(entry.path))
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, to file: Int32, _ entry: ArchiveReader.Entry) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(file, rest.baseAddress, rest.count)
            if count < 0 {
                let code = errno
                if code == EINTR { continue }
                let error = SystemError("write", on: EntryName.escape(entry.path), code: code)
                if error.meansFullDisk { throw OutOfSpace() }
                throw error
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}
