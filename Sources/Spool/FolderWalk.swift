internal import Glibc
internal import Support

/// Visits everything below a folder, depth first, names sorted, without following or opening anything but folders.
struct FolderWalk {
    struct Entry {
        let folder: FolderHandle
        let name: EntryName
        /// From the walk's top, parts joined by `/`.
        let path: [UInt8]
        let status: FileStatus
        /// 0 for an entry of the top folder.
        let depth: Int

        var isAtTop: Bool { depth == 0 }
        /// By its own name or that of a folder on the way.
        var isHidden: Bool { path.split(separator: UInt8(ascii: "/")).contains { $0.first == UInt8(ascii: ".") } }
    }

    enum Decision { case goOn, stop }

    var maximumDepth: Int
    var maximumEntries: Int

    /// Calls `visit` for each entry, `enter` for each folder after it was opened (the top too), and `obstacle` for
    /// folders that cannot be entered. Entries that vanish meanwhile are left out.
    func run(
        in top: FolderHandle,
        enter: (FolderHandle) throws -> Void = { _ in },
        obstacle: (_ path: [UInt8], Obstacle) throws -> Decision,
        visit: (Entry) throws -> Decision
    ) throws {
        var seen = 0
        func descend(_ folder: FolderHandle, _ prefix: [UInt8], _ depth: Int, _ device: UInt64) throws -> Decision {
            try enter(folder)
            guard let names = try folder.entries(limit: maximumEntries - seen) else {
                return try obstacle(prefix, .tooManyEntries)
            }
            seen += names.count
            for name in names {
                guard let status = try folder.status(of: name) else { continue }
                let path = prefix.isEmpty ? name.bytes : prefix + [UInt8(ascii: "/")] + name.bytes
                let entry = Entry(folder: folder, name: name, path: path, status: status, depth: depth)
                if try visit(entry) == .stop { return .stop }
                guard status.isFolder else { continue }
                if status.device != device {
                    if try obstacle(path, .otherFileSystem) == .stop { return .stop }
                    continue
                }
                if depth + 1 > maximumDepth {
                    if try obstacle(path, .tooDeep) == .stop { return .stop }
                    continue
                }
                let inner: FolderHandle
                do {
                    inner = try folder.openFolder(name)
                } catch let error where error.code == ENOENT || error.code == ENOTDIR || error.code == ELOOP {
                    continue  // exchanged since it was listed: the next survey sees what it is now
                } catch {
                    if try obstacle(path, .closed(error)) == .stop { return .stop }
                    continue
                }
                if try descend(inner, path, depth + 1, device) == .stop { return .stop }
            }
            return .goOn
        }
        _ = try descend(top, [], 0, try top.status().device)
    }

    enum Obstacle {
        case tooManyEntries, tooDeep, otherFileSystem
        case closed(SystemError)
    }
}
