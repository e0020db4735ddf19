internal import Glibc
internal import Support

/// The daemon's door to the spool's folders. Every verb can be repeated after a crash at any point.
///
/// Blocking calls run on a queue of the store's own, never on the cooperative pool. Errors are `SystemError` (the
/// file system said no: try again later) or `SpoolError`.
public actor SpoolStore {
    public nonisolated let layout: SpoolLayout
    nonisolated let folders: SpoolFolders
    private nonisolated let executor = BlockingExecutor(label: "spool.store")

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Makes the folders under `root` where they are missing. Throws `SystemError` when it may not.
    ///
    /// - Parameters:
    ///   - database: keeps the spool for the daemons of one database (hexadecimal digits and `-`). Throws
    ///     `SpoolError.ofAnotherDatabase` if another one has it.
    ///   - fatalStep: for tests of what a crash leaves: the step of the protocol (`SpoolFolders.Step`) behind which this
    ///     process kills itself.
    public init(
        root: String, kinds: [SpoolKind] = SpoolKind.standard, database: String? = nil, fatalStep: String? = nil
    ) throws {
        layout = SpoolLayout(root: root, kinds: kinds)
        var folders = try SpoolFolders(layout: layout, database: database)
        if let fatalStep { folders.afterStep = { if $0.rawValue == fatalStep { kill(getpid(), SIGKILL) } } }
        self.folders = folders
    }

    init(folders: SpoolFolders) {
        layout = folders.layout
        self.folders = folders
    }

    /// Tells this spool from others that feed the same database: all its unique keys begin with
    /// `spool:<identifier>:`. A daemon must only run spool jobs of its own spool.
    public nonisolated var identifier: String { folders.identifier }

    /// Throws what `init(root:database:)` would for the spool in folder `root`, but makes and marks nothing.
    public static func checkBinding(of root: String, to database: String) throws {
        try SpoolFolders.checkBinding(of: root, to: database)
    }

    /// Why the spool does not lie where it was, as while its file system is unmounted: `SpoolError.gone` or `.exchanged`, or
    /// `SystemError` when that can't be told; `nil` when it does.
    public func absence() -> (any Error)? {
        do {
            try folders.ground()
            return nil
        } catch {
            return error
        }
    }

    /// Makes `.work/<job>.<token>/` and returns its path.
    public func makeWorkFolder(job: Int64, token: Int64) throws -> String {
        try folders.results.makeWorkFolder(job: job, token: token)
    }

    /// Renames `.work/<job>.<token>/` to `done/<folder>` and returns the new path. BEFORE the commit that completes
    /// the job. A loser's leftover there is moved aside first; when the input already lies there, the job was
    /// completed by another attempt and this throws `SpoolError.alreadyCompleted`.
    public func publish(job: Int64, token: Int64, folder: String) throws -> String {
        try folders.results.publish(job: job, token: token, as: folder).path
    }

    /// The commit after `publish` did not find its row: takes the results back out of `done/` and puts back what
    /// `publish` had moved aside.
    public func withdraw(job: Int64, token: Int64, folder: String) throws {
        try folders.results.withdraw(job: job, token: token, as: folder)
    }

    /// AFTER the commit of the attempt `token`: `processing/<folder>` → `done/<folder>/input`; the job's work folders
    /// are removed.
    public func complete(job: Int64, token: Int64?, folder: String) throws {
        try folders.complete(job: job, token: token, folder: folder)
    }

    /// AFTER the commit: `processing/<folder>` → `rejected/<folder>/input`, beside a REASON.json; the job's work
    /// folders are removed. `name` is the name the person gave the folder.
    public func reject(job: Int64, kind: SpoolKind, name: String, folder: String, refusal: Refusal) throws {
        try folders.reject(job: job, kind: kind, name: name, folder: folder, refusal: refusal)
    }

    /// Before a spool job runs: makes sure that its input lies in `processing/`, and brings it back from `rejected/`
    /// or `done/` when a person asked for a retry. Throws `SpoolError.missingFolder` when it is nowhere.
    public func restoreInput(folder: String) throws -> String {
        guard try folders.restore(folder: folder) else {
            throw SpoolError.missingFolder(path: layout.input(folder: folder))
        }
        return layout.input(folder: folder)
    }

    /// Puts rows and folders in agreement. To be called at start, before the intake and the dispatcher run.
    ///
    /// - Parameter lookUp: given the job numbers found in the folders, returns the rows of those AND every
    ///   unfinished spool row. It is called after the folders were listed, so that no folder can be newer than
    ///   the rows. Rows of other spools are ignored.
    public func reconcile(lookUp: @Sendable ([Int64]) async throws -> [SpoolRow]) async throws -> ReconcileReport {
        let jobs = try folders.jobsInFolders()
        return try folders.reconcile(jobs: jobs, rows: try await lookUp(jobs.sorted()))
    }
}
