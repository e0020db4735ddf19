internal import Glibc
internal import Support

/// Publishing by rename: attempts write into `<work>/<job>.<token>/`, the winner's folder becomes
/// `<destination>/<name>`. The spool uses one for `done/`; the daemon may use another for the results of SQL jobs.
/// Blocking calls; all can be repeated.
///
/// Whether an attempt won is decided by a commit in the database, so the files must be able to follow it both ways:
/// `publish` keeps what it displaces, `withdraw` puts it back, and `reinstate` (after the winner's commit) makes sure that
/// the winner's files are the ones that lie there, even if a fenced loser renamed over them in between.
public struct ResultsShelf: Sendable {
    public let work: String
    public let destination: String
    /// An entry in a published folder that says "final": publishing over it is refused.
    let seal: String?
    var afterStep: @Sendable (SpoolFolders.Step) throws -> Void = { _ in }

    /// What `publish` did.
    public struct Published: Sendable, Equatable {
        public var path: String
        /// Where it put finished results that lay there and are of no attempt that goes on: of shards that were completed and
        /// retried, or of a database that was restored, or made anew, and gives its numbers out again.
        public var keptAside: String?
    }

    /// Keeps the shelf for the daemons of one database (hexadecimal digits and `-`), by a mark in `destination`. Throws
    /// `SpoolError.ofAnotherDatabase` if another one has it.
    public func bind(to database: String) throws {
        try DatabaseBinding.results.bind(try FolderHandle(path: destination), to: database)
    }

    /// Throws what `bind` would for a shelf with this destination, but makes and marks nothing.
    public static func checkBinding(of destination: String, to database: String) throws {
        try DatabaseBinding.results.check(destination, is: database)
    }

    /// Both folders must exist and lie on one file system.
    public init(work: String, destination: String) {
        self.init(work: work, destination: destination, sealedBy: nil)
    }

    init(work: String, destination: String, sealedBy seal: String?) {
        self.work = work
        self.destination = destination
        self.seal = seal
    }

    private static func attempt(_ job: Int64, _ token: Int64) -> EntryName { EntryName("\(job).\(token)") }
    private static func displaced(_ job: Int64, _ token: Int64) -> EntryName { EntryName("\(job).\(token).displaced") }
    private static func marker(_ job: Int64, _ token: Int64, _ inode: UInt64) -> EntryName {
        EntryName("\(job).\(token).publishing.\(inode)")
    }

    /// Makes the work folder of an attempt and returns its path.
    public func makeWorkFolder(job: Int64, token: Int64) throws -> String {
        let folder = try FolderHandle(path: work)
        try folder.makeFolder(Self.attempt(job, token), permissions: 0o2770)
        return "\(work)/\(job).\(token)"
    }

    /// The work folder → `<destination>/<name>`. What another attempt left there is moved into the work folder first, what is
    /// nobody's is kept beside. Flushes the folders, not the files in them: the run did that.
    public func publish(job: Int64, token: Int64, as name: String) throws -> Published {
        let workFolder = try FolderHandle(path: work)
        let shelf = try FolderHandle(path: destination)
        let path = "\(destination)/\(name)"
        let attempt = Self.attempt(job, token)
        let published = try shelf.status(of: EntryName(name))
        if let seal, published?.isFolder == true,
            try shelf.openFolder(EntryName(name)).exists(EntryName(seal))
        {
            throw SpoolError.alreadyCompleted(job: job, folder: name)
        }
        guard let found = try workFolder.status(of: attempt) else {
            if let published, try workFolder.exists(Self.marker(job, token, published.inode)) {
                return Published(path: path)
            }
            throw SpoolError.missingWork(path: "\(work)/\(job).\(token)")
        }
        try workFolder.makeFolder(Self.marker(job, token, found.inode), permissions: 0o700)
        try afterStep(.markPublication)
        var keptAside: String?
        if let published, try seal == nil && !isAttempt(at: job, published.inode, in: workFolder) {
            keptAside = try shelf.moveBesideOthers(EntryName(name), to: shelf, as: EntryName("\(name).earlier"))
                .map { "\(destination)/\($0)" }
        } else if published != nil {
            // The place is taken when this very step crashed before: then the newer leftover is the one to keep.
            try workFolder.removeTree(Self.displaced(job, token))
            try Self.move(EntryName(name), from: shelf, to: workFolder, as: Self.displaced(job, token))
            try afterStep(.displaceLeftover)
        }
        try Self.move(attempt, from: workFolder, to: shelf, as: EntryName(name))
        try afterStep(.publishResults)
        return Published(path: path, keptAside: keptAside)
    }

    /// Whether an attempt at the job made this folder and its end has not been settled yet.
    private func isAttempt(at job: Int64, _ inode: UInt64, in workFolder: FolderHandle) throws -> Bool {
        try (workFolder.entries() ?? []).contains { entry in
            guard let attempt = SpoolFolders.attempt(ofWork: entry), attempt.job == job else { return false }
            return entry == Self.marker(job, attempt.token, inode)
        }
    }

    /// The commit found that the attempt had lost: its files go back into the work folder, and what they displaced
    /// to its place.
    public func withdraw(job: Int64, token: Int64, as name: String) throws {
        let workFolder = try FolderHandle(path: work)
        let shelf = try FolderHandle(path: destination)
        if let published = try shelf.status(of: EntryName(name)),
            try workFolder.exists(Self.marker(job, token, published.inode))
        {
            try Self.move(EntryName(name), from: shelf, to: workFolder, as: Self.attempt(job, token))
        }
        guard try workFolder.exists(Self.displaced(job, token)) else { return }
        // Where the winner's files lie meanwhile, they stay.
        try workFolder.move(Self.displaced(job, token), to: shelf, as: EntryName(name))
    }

    /// AFTER the commit of `token`: when another attempt's files lie in the place of its own, they are exchanged; when
    /// nothing does, because that attempt died between its two moves, its own are put back.
    public func reinstate(job: Int64, token: Int64, as name: String) throws {
        let workFolder = try FolderHandle(path: work)
        let shelf = try FolderHandle(path: destination)
        if let published = try shelf.status(of: EntryName(name)),
            try workFolder.exists(Self.marker(job, token, published.inode))
        {
            return
        }
        for entry in try workFolder.entries() ?? [] {
            guard SpoolFolders.attempt(ofWork: entry)?.job == job, let status = try workFolder.status(of: entry),
                status.isFolder, try workFolder.exists(Self.marker(job, token, status.inode))
            else { continue }
            if try shelf.exists(EntryName(name)) {
                let loser = EntryName("\(job).\(token).loser")
                // There already when this very step crashed before.
                try workFolder.removeTree(loser)
                try Self.move(EntryName(name), from: shelf, to: workFolder, as: loser)
            }
            try Self.move(entry, from: workFolder, to: shelf, as: EntryName(name))
            return
        }
    }

    /// A move that must succeed: a name that is taken is an error.
    private static func move(
        _ name: EntryName, from folder: FolderHandle, to other: FolderHandle, as newName: EntryName
    ) throws(SystemError) {
        guard try folder.move(name, to: other, as: newName) else {
            throw SystemError("renameat2", on: other.label(of: newName), code: EEXIST)
        }
    }

    /// Removes the work folders of a finished job. Results and inputs never lie there.
    ///
    /// - Parameter token: of its last attempt as the caller knows it. Tokens grow: a job that somebody retries meanwhile
    ///   keeps the folder of its new attempt.
    public func sweep(job: Int64, through token: Int64 = .max) throws {
        let folder = try FolderHandle(path: work)
        for entry in try folder.entries() ?? [] {
            guard let attempt = SpoolFolders.attempt(ofWork: entry), attempt.job == job, attempt.token <= token else {
                continue
            }
            try folder.removeTree(entry)
        }
    }

    /// The jobs that have work folders and their newest attempts' tokens, for a sweep at start.
    public func attemptsAtWork() throws -> [Int64: Int64] {
        let attempts = (try FolderHandle(path: work).entries() ?? []).compactMap(SpoolFolders.attempt(ofWork:))
        return Dictionary(attempts.map { ($0.job, $0.token) }) { max($0, $1) }
    }
}
