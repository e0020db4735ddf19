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
    var afterStep: @Sendable (Step) throws -> Void = { _ in }

    static let inputName = EntryName("input")
    static let reasonName = "REASON.json"

    /// Makes what is missing. Permissions are set only on folders made here: `incoming/<kind>` and `tmp` are open to
    /// the spool's group, which the set-group-id bit hands down to everything dropped; results can be read by it;
    /// `processing` and `.work` are the daemon's own.
    init(layout: SpoolLayout) throws {
        self.layout = layout
        identifier = try Self.prepare(layout, identifier: nil)
    }

    /// Makes the folders again when somebody removed them, as those of the same spool: its rows are still there. Throws
    /// `SpoolError.exchanged` when another spool lies in their place, whose rows have other keys.
    func repairLayout() throws {
        if try Self.prepare(layout, identifier: identifier) != identifier {
            throw SpoolError.exchanged(root: layout.root)
        }
    }

    /// - Parameter identifier: what the spool is called if it has no name yet; `nil` for a new one.
    private static func prepare(_ layout: SpoolLayout, identifier: String?) throws -> String {
        try makeParents(of: layout.root)
        let root = try FolderHandle(path: layout.root)
        try root.makeFolder(EntryName("incoming"), permissions: 0o755)
        let incoming = try root.openFolder(EntryName("incoming"))
        for kind in layout.kinds { try incoming.makeFolder(EntryName(kind.rawValue), permissions: 0o2770) }
        try root.makeFolder(EntryName("tmp"), permissions: 0o2770)
        for name in ["done", "rejected"] { try root.makeFolder(EntryName(name), permissions: 0o2750) }
        try root.makeFolder(EntryName("processing"), permissions: 0o700)
        try root.makeFolder(EntryName(".work"), permissions: 0o2700)
        return try Self.identifier(in: layout, otherwise: identifier)
    }

    private static func makeParents(of path: String) throws(SystemError) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/\(part)"
            if mkdir(made, 0o755) != 0, errno != EEXIST { throw SystemError("mkdir", on: made) }
        }
    }

    private static func identifier(in layout: SpoolLayout, otherwise known: String?) throws(SystemError) -> String {
        try mark("\(layout.root)/.spool-id", known ?? String(UInt64.random(in: .min ... .max), radix: 16))
    }

    static let databaseMark = ".spool-database"

    /// Keeps this spool for the daemons of one database: those of another would take its folders for their own jobs'.
    ///
    /// - Parameter database: hexadecimal digits and `-`.
    func bind(to database: String) throws {
        let found = try Self.mark("\(layout.root)/\(Self.databaseMark)", database)
        try Self.check(found, of: layout.root, is: database)
    }

    /// Looks whether `bind(to:)` could succeed, and marks nothing.
    static func checkBinding(of root: String, to database: String) throws {
        if let found = try readMark("\(root)/\(databaseMark)") { try check(found, of: root, is: database) }
    }

    private static func check(_ found: String, of root: String, is wanted: String) throws(SpoolError) {
        guard found == wanted else {
            throw .ofAnotherDatabase(root: root, mark: databaseMark, found: found, wanted: wanted)
        }
    }

    /// What the file says; `fresh` if there was none, which is written then.
    private static func mark(_ path: String, _ fresh: String) throws(SystemError) -> String {
        for _ in 0..<2 {
            if let text = try readMark(path) { return text }
            // Two daemons may start at once: link(2) lets one of them win, both then read the same.
            let draft = "\(path).\(getpid()).\(fresh)"
            try AtomicFile.write("\(fresh)\n".utf8, to: draft)
            let code = link(draft, path) == 0 ? 0 : errno
            unlink(draft)
            if code != 0, code != EEXIST { throw SystemError("link", on: path, code: code) }
        }
        throw SystemError("read", on: path, code: EINVAL)
    }

    private static func readMark(_ path: String) throws(SystemError) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0 {
            if errno == ENOENT { return nil }
            throw SystemError("open", on: path)
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &bytes, bytes.count)
        let digits = bytes.prefix(max(count, 0)).prefix {
            (48...57).contains($0) || (97...102).contains($0) || $0 == UInt8(ascii: "-")
        }
        return digits.isEmpty ? nil : String(decoding: digits, as: UTF8.self)
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
