internal import Glibc
internal import Support

/// Where an archive is taken apart: a folder under `.work/`, locked by flock(2) as long as the handle is open here or in
/// a helper.
struct ArchiveDraft {
    let name: EntryName
    let holder: FolderHandle

    /// The folder that the archive holds: what all its entries lie in, or all of them together.
    func top() throws -> (holder: FolderHandle, name: EntryName) {
        let tree = try holder.openFolder(UnpackHelperProgram.tree)
        let entries = try tree.entries() ?? []
        if let only = entries.first, entries.count == 1, !only.isHidden, try tree.status(of: only)?.isFolder == true {
            return (tree, only)
        }
        return (holder, UnpackHelperProgram.tree)
    }
}

extension SpoolFolders {
    private static let draftPrefix = "unpack."

    /// An empty place for one archive; `nil` while another daemon on the same spool is at it.
    func makeDraft(for drop: DropIdentity) throws -> ArchiveDraft? {
        let work = try FolderHandle(path: layout.work)
        let name = EntryName("\(Self.draftPrefix)\(drop.name.stem).\(drop.rejectionStamp)")
        try work.makeFolder(name, permissions: 0o2700)
        let holder = try work.openFolder(name)
        guard flock(holder.descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
        try holder.removeTree(UnpackHelperProgram.tree)
        return ArchiveDraft(name: name, holder: holder)
    }

    func remove(_ draft: ArchiveDraft) throws {
        try FolderHandle(path: layout.work).removeTree(draft.name)
    }

    /// What a crash left of archives half taken apart and of refusals half written; the archives and folders themselves are
    /// still where they were.
    func sweepDrafts() throws {
        let work = try FolderHandle(path: layout.work)
        for entry in try work.entries() ?? []
        where [Self.draftPrefix, Self.refusalPrefix].contains(where: entry.escaped.hasPrefix) {
            let holder = try work.openFolder(entry)
            if flock(holder.descriptor, LOCK_EX | LOCK_NB) == 0 { try work.removeTree(entry) }
        }
    }

    /// What was made of an archive → processing/<folder>, then the archive → processing/<folder>/.dropped/. Only the very
    /// archive that was taken apart is moved.
    func place(
        _ drop: DropIdentity, unpacked: (holder: FolderHandle, name: EntryName), folder: String
    ) throws -> Placement {
        let incoming = try FolderHandle(path: layout.incoming(drop.kind))
        guard let status = try incoming.status(of: drop.name),
            DropIdentity(kind: drop.kind, name: drop.name, status: status) == drop
        else { return try isKnown(folder) ? .alreadyThere : .vanished }
        if try !isKnown(folder) {
            let processing = try FolderHandle(path: layout.processing)
            guard try unpacked.holder.move(unpacked.name, to: processing, as: EntryName(folder)) else {
                throw SystemError("renameat2", on: layout.input(folder: folder), code: EEXIST)
            }
            try afterStep(.moveToProcessing)
        }
        try shelve(drop, in: folder)
        return .moved
    }

    /// Puts an archive away beside what was made of it, wherever that lies by now.
    private func shelve(_ drop: DropIdentity, in folder: String) throws {
        let incoming = try FolderHandle(path: layout.incoming(drop.kind))
        guard let tree = try input(folder) else { return }
        try tree.makeFolder(EntryName(ArchiveFile.shelf), permissions: 0o2770)
        let shelf = try tree.openFolder(EntryName(ArchiveFile.shelf))
        try moveCompanions(of: drop.name, from: incoming, to: shelf)
        try incoming.moveBesideOthers(drop.name, to: shelf, as: drop.name)
        try afterStep(.shelveArchive)
    }

    /// After a crash between the two moves: the archive that `row` was made of, if it still lies in `incoming/`.
    func shelveArchive(of row: SpoolRow, in folder: String) throws {
        if let drop = try dropped(by: row), !drop.isFolder { try shelve(drop.identity, in: folder) }
    }

    /// The drop in `incoming/` that `row` stands for; `nil` when it is not there, or a later one has its name.
    func dropped(by row: SpoolRow) throws -> (identity: DropIdentity, isFolder: Bool)? {
        let name = EntryName(bytes: EntryName.unescape(row.name))
        guard let status = try FolderHandle(path: layout.incoming(row.kind)).status(of: name) else { return nil }
        let identity = DropIdentity(kind: row.kind, name: name, status: status)
        return identity.uniqueKey(spool: identifier) == row.uniqueKey ? (identity, status.isFolder) : nil
    }

    /// The files that speak about an archive go with it, and before it, so that none is left alone.
    func moveCompanions(of archive: EntryName, from incoming: FolderHandle, to folder: FolderHandle) throws {
        for ending in ArchiveFile.companions {
            let name = ArchiveFile.companion(ending, of: archive)
            try incoming.moveBesideOthers(name, to: folder, as: name)
        }
    }

    private func input(_ folder: String) throws -> FolderHandle? {
        let processing = try FolderHandle(path: layout.processing)
        if try processing.exists(EntryName(folder)) { return try processing.openFolder(EntryName(folder)) }
        for path in [layout.done, layout.rejected] {
            let shelf = try FolderHandle(path: path)
            guard try shelf.exists(EntryName(folder)) else { continue }
            let holder = try shelf.openFolder(EntryName(folder))
            if try holder.exists(Self.inputName) { return try holder.openFolder(Self.inputName) }
        }
        return nil
    }
}
