/// The daemon's door to the spool's folders. Every verb can be repeated after a crash at any point.
///
/// Blocking calls run on a queue of the store's own, never on the cooperative pool. Errors are `SystemError` (the
/// file system said no: try again later) or `SpoolError`.
public actor SpoolStore {
    public nonisolated let layout: SpoolLayout

    /// Makes the folders under `root` where they are missing.
    public init(root: String, kinds: [SpoolKind] = SpoolKind.standard) throws {
        layout = SpoolLayout(root: root, kinds: kinds)
    }

    /// Makes `.work/<job>.<token>/` and returns its path.
    public func makeWorkFolder(job: Int64, token: Int64) throws -> String { fatalError() }

    /// Renames `.work/<job>.<token>/` to `done/<folder>` and returns the new path. BEFORE the commit that completes
    /// the job. A loser's leftover there is moved aside first; when the input already lies there, the job was
    /// completed by another attempt and this throws `SpoolError.alreadyCompleted`.
    public func publish(job: Int64, token: Int64, folder: String) throws -> String { fatalError() }

    /// The commit after `publish` did not find its row: takes the results back out of `done/` and puts back what
    /// `publish` had moved aside.
    public func withdraw(job: Int64, token: Int64, folder: String) throws { fatalError() }

    /// AFTER the commit: `processing/<folder>` → `done/<folder>/input`; the job's work folders are removed.
    public func complete(job: Int64, folder: String) throws { fatalError() }

    /// AFTER the commit: `processing/<folder>` → `rejected/<folder>/input`, beside a REASON.json; the job's work
    /// folders are removed.
    public func reject(job: Int64, kind: SpoolKind, name: String, folder: String, refusal: Refusal) throws {
        fatalError()
    }

    /// Puts rows and folders in agreement. To be called at start, before the intake and the dispatcher run.
    ///
    /// - Parameter lookUp: given the job numbers found in the folders, returns the rows of those AND every
    ///   unfinished spool row. It is called after the folders were listed, so that no folder can be newer than
    ///   the rows.
    public func reconcile(lookUp: @Sendable ([Int64]) async throws -> [SpoolRow]) async throws -> ReconcileReport {
        fatalError()
    }

    /// Free bytes on the spool's file system, for an unprivileged user.
    public func freeBytes() throws -> Int64 { fatalError() }
}

/// What the spool itself refuses to do.
public enum SpoolError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The results of another attempt are final.
    case alreadyCompleted(job: Int64, folder: String)
    /// The work folder to publish is not there.
    case missingWork(path: String)
    case missingFolder(path: String)

    public var description: String {
        switch self {
        case .alreadyCompleted(let job, let folder):
            "job \(job) was completed by another attempt: its results and its input lie in done/\(folder)"
        case .missingWork(let path): "the work folder '\(path)' is not there: nothing can be published"
        case .missingFolder(let path): "the folder '\(path)' is not there"
        }
    }
}
