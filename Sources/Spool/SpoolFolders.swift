internal import Glibc
internal import Support

/// The moves of the protocol, as plain blocking functions. Each is a short row of renames that can be begun again after a
/// crash behind any of them; `afterStep` is where the tests crash.
struct SpoolFolders: Sendable {
    /// In the order of a drop's way: taken, refused or failed, completed. The first that leaves a trace is the row's;
    /// `beginRejection` and `beginCompletion` come right after the commit that ends the job.
    enum Step: String, CaseIterable, Sendable {
        case verifyChecksums, registerRow, moveToProcessing, shelveArchive, confirmRow
        case beginRejection, prepareReason, publishReason, moveToRejected
        case markPublication, displaceLeftover, publishResults, beginCompletion, makeResults, moveInput, sweepWork
    }

    let layout: SpoolLayout
    /// Tells this spool from others that feed the same database; made once, kept in `.spool-id`.
    let identifier: String
    private let database: String?
    private let place: SpoolGround
    var afterStep: @Sendable (Step) throws -> Void = { _ in }

    static let inputName = EntryName("input")
    static let reasonName = "REASON.json"

    /// Makes what is missing. Permissions are set only on folders made here: `incoming/<kind>` and `tmp` are open to
    /// the spool's group, which the set-group-id bit hands down to everything dropped; results can be read by it;
    /// `processing` and `.work` are the daemon's own.
    ///
    /// - Parameter database: whose daemons the spool is kept for; those of another would take its folders for their own
    ///   jobs'. Throws `SpoolError.ofAnotherDatabase` when it is kept already. Hexadecimal digits and `-`.
    init(layout: SpoolLayout, database: String? = nil) throws {
        self.layout = layout
        self.database = database
        try FileTree.make(layout.root)
        let root = try FolderHandle(path: layout.root)
        if let database { try DatabaseBinding.spool.bind(root, to: database) }
        try Self.makeParts(of: layout, in: root)
        identifier = try SpoolMark.identifier.read(
            in: root, orWrite: String(UInt64.random(in: .min ... .max), radix: 16))
        place = try SpoolGround(root: layout.root)
    }

    /// The root of this very spool. Throws `SpoolError.gone` when it is not there, `.exchanged` when another spool lies in
    /// its place, whose rows have other keys.
    @discardableResult
    func ground() throws -> FolderHandle {
        guard let root = try FolderHandle.ifPresent(path: layout.root),
            let found = try SpoolMark.identifier.read(in: root)
        else {
            throw SpoolError.gone(
                root: layout.root, mark: SpoolMark.identifier.name.escaped, identifier: identifier)
        }
        guard found == identifier else { throw SpoolError.exchanged(root: layout.root) }
        return root
    }

    /// Makes the parts again that somebody removed, or all of it as the same spool: its rows are still there. Throws what
    /// `ground()` does: into a folder on which a file system is to be mounted nothing is put.
    func repairLayout() throws {
        let root: FolderHandle
        do {
            root = try ground()
        } catch let error as SpoolError {
            guard case .gone = error, try place.isRemoved() else { throw error }
            try FileTree.make(layout.root)
            _ = try SpoolMark.identifier.read(in: FolderHandle(path: layout.root), orWrite: identifier)
            root = try ground()
        }
        if let database { try DatabaseBinding.spool.bind(root, to: database) }
        try Self.makeParts(of: layout, in: root)
    }

    private static func makeParts(of layout: SpoolLayout, in root: FolderHandle) throws(SystemError) {
        try root.makeFolder(EntryName("incoming"), permissions: 0o755)
        let incoming = try root.openFolder(EntryName("incoming"))
        for kind in layout.kinds { try incoming.makeFolder(EntryName(kind.rawValue), permissions: 0o2770) }
        try root.makeFolder(EntryName("tmp"), permissions: 0o2770)
        for name in ["done", "rejected"] { try root.makeFolder(EntryName(name), permissions: 0o2750) }
        try root.makeFolder(EntryName("processing"), permissions: 0o700)
        try root.makeFolder(EntryName(".work"), permissions: 0o2700)
    }

    /// Throws what `init` would for the spool in the folder `path`, but makes and marks nothing.
    static func checkBinding(of path: String, to database: String) throws {
        if let root = try FolderHandle.ifPresent(path: path) { _ = try SpoolMark.identifier.read(in: root) }
        try DatabaseBinding.spool.check(path, is: database)
    }

    func freeBytes() throws(SystemError) -> Int64 { try FolderHandle(path: layout.root).freeBytes() }

    /// `processing/`, `done/` and `rejected/` call a drop `<stem>.<job>`.
    static func folderName(_ name: EntryName, job: Int64) -> String { "\(name.stem).\(job)" }

    /// The job in a name made by `folderName`.
    static func job(ofFolder name: EntryName) -> Int64? {
        guard let dot = name.bytes.lastIndex(of: UInt8(ascii: ".")), dot > 0 else { return nil }
        return number(name.bytes[(dot + 1)...])
    }

    /// The attempt in the name of a work folder, `<job>.<token>` and what may follow after another dot.
    static func attempt(ofWork name: EntryName) -> (job: Int64, token: Int64)? {
        let parts = name.bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count >= 2, let job = number(parts[0]), let token = number(parts[1]) else { return nil }
        return (job, token)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        digits.allSatisfy { (48...57).contains($0) } ? Int64(String(decoding: digits, as: UTF8.self)) : nil
    }

    // MARK: - Acceptance

    enum Placement: Equatable {
        case moved
        /// This step was done before, by us or by another daemon on the same spool.
        case alreadyThere
        /// The drop is not there any more.
        case vanished
    }

    /// incoming/<kind>/<name> → processing/<folder>. Only the very drop that was inspected is moved.
    func place(_ drop: DropIdentity, folder: String) throws -> Placement {
        let incoming = try FolderHandle(path: layout.incoming(drop.kind))
        let processing = try FolderHandle(path: layout.processing)
        let found = try incoming.status(of: drop.name)
        guard let found, found.isFolder, found.inode == drop.inode else {
            return try isKnown(folder) ? .alreadyThere : .vanished
        }
        do {
            guard try incoming.move(drop.name, to: processing, as: EntryName(folder)) else {
                throw SystemError("renameat2", on: layout.input(folder: folder), code: EEXIST)
            }
        } catch let error as SystemError where error.code == ENOENT {
            return try isKnown(folder) ? .alreadyThere : .vanished
        }
        try afterStep(.moveToProcessing)
        return .moved
    }

    /// Whether the folder went on from `incoming/`, however far.
    func isKnown(_ folder: String) throws -> Bool {
        for path in [layout.processing, layout.done, layout.rejected]
        where try FolderHandle(path: path).exists(EntryName(folder)) {
            return true
        }
        return false
    }

    // MARK: - Completion

    /// processing/<folder> → done/<folder>/input.
    func complete(job: Int64, token: Int64?, folder: String) throws {
        try afterStep(.beginCompletion)
        let done = try FolderHandle(path: layout.done)
        if let token { try results.reinstate(job: job, token: token, as: folder) }
        if try done.makeFolder(EntryName(folder), permissions: 0o2770) { try afterStep(.makeResults) }
        try moveInput(folder, into: try done.openFolder(EntryName(folder)))
        try afterStep(.moveInput)
        try results.sweep(job: job)
        try afterStep(.sweepWork)
    }

    /// Moves the input beside its results or its reason. Should the attempt have written something called `input`,
    /// a number is added.
    private func moveInput(_ folder: String, into target: FolderHandle) throws {
        let processing = try FolderHandle(path: layout.processing)
        guard try processing.exists(EntryName(folder)) else { return }
        try processing.moveBesideOthers(EntryName(folder), to: target, as: Self.inputName)
    }

    /// rejected/<folder>/input or done/<folder>/input → processing/<folder>, when a person asked for a retry.
    /// `false` when there is none.
    func restore(folder: String) throws -> Bool {
        let processing = try FolderHandle(path: layout.processing)
        if try processing.exists(EntryName(folder)) { return true }
        for path in [layout.rejected, layout.done] {
            let shelf = try FolderHandle(path: path)
            guard try shelf.status(of: EntryName(folder))?.isFolder == true else { continue }
            let holder = try shelf.openFolder(EntryName(folder))
            guard try holder.status(of: Self.inputName)?.isFolder == true else { continue }
            if try holder.move(Self.inputName, to: processing, as: EntryName(folder)) { return true }
        }
        return false
    }

    /// Where the attempts of this spool's jobs write, and where their results go.
    var results: ResultsShelf {
        var shelf = ResultsShelf(work: layout.work, destination: layout.done, sealedBy: "input")
        shelf.afterStep = afterStep
        return shelf
    }
}
