internal import Glibc

/// One entry of a folder: its name and what it is, a link not followed.
struct FolderEntry {
    enum Kind { case file, folder, link, other }

    let name: RawPath
    let kind: Kind

    /// Unix's and this project's rule: names that begin with a dot (`.ready`, `.DS_Store`) are no input.
    var isHidden: Bool { name.bytes.first == UInt8(ascii: ".") }
}

/// Lists folders, in the order of their names' bytes.
enum FolderListing {
    /// Throws the error number of the call that failed, see errno(3).
    struct Failure: Error {
        let call: String
        let code: Int32

        var text: String { "\(call): \(String(cString: strerror(code)))" }
    }

    static func entries(of folder: RawPath) throws(Failure) -> [FolderEntry] {
        try entries(of: folder, open: folder.withCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    }

    /// - Parameter descriptor: the folder, open, or -1 with the reason in errno; closed in any case.
    private static func entries(of folder: RawPath, open descriptor: Int32) throws(Failure) -> [FolderEntry] {
        if descriptor < 0 { throw Failure(call: "open", code: errno) }
        guard let stream = fdopendir(descriptor) else {
            let failure = Failure(call: "fdopendir", code: errno)
            close(descriptor)
            throw failure
        }
        defer { closedir(stream) }
        var entries: [FolderEntry] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw Failure(call: "readdir", code: errno) }
                break
            }
            let offset = MemoryLayout<dirent>.offset(of: \dirent.d_name)!
            let start = UnsafeRawPointer(entry) + offset
            let name = RawPath(
                bytes: UnsafeRawBufferPointer(start: start, count: strlen(start.assumingMemoryBound(to: CChar.self))))
            if name == RawPath(".") || name == RawPath("..") { continue }
            let kind: FolderEntry.Kind
            switch Int(entry.pointee.d_type) {
            case Int(DT_REG): kind = .file
            case Int(DT_DIR): kind = .folder
            case Int(DT_LNK): kind = .link
            case Int(DT_UNKNOWN): kind = statKind(folder.appending(name))
            default: kind = .other
            }
            entries.append(FolderEntry(name: name, kind: kind))
        }
        return entries.sorted { $0.name < $1.name }
    }

    /// Calls `visit` for everything below `folder` that is neither hidden nor a folder, with its path relative to it.
    /// `unreadable` gets the folders that could not be listed. Below `folder` no link is followed.
    static func walk(
        _ folder: RawPath, visit: (RawPath, FolderEntry.Kind) -> Void, unreadable: (RawPath, Failure) -> Void
    ) {
        let top = folder.resolved
        var pending: [RawPath] = [RawPath("")]
        while let relative = pending.popLast() {
            let place = relative.bytes.isEmpty ? top : top.appending(relative)
            do throws(Failure) {
                for entry in try entries(of: place, open: place.openUnlinked(O_RDONLY | O_DIRECTORY))
                where !entry.isHidden {
                    let path = relative.appending(entry.name)
                    if entry.kind == .folder { pending.append(path) } else { visit(path, entry.kind) }
                }
            } catch {
                unreadable(relative, error)
            }
        }
    }

    /// For file systems that do not tell the kind in the directory itself.
    private static func statKind(_ path: RawPath) -> FolderEntry.Kind {
        var facts = stat()
        guard path.withCString({ lstat($0, &facts) }) == 0 else { return .other }
        return switch facts.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        case S_IFLNK: .link
        default: .other
        }
    }
}
