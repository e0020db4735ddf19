/// What the spool needs to know of a job's row to put its folders right.
public struct SpoolRow: Sendable, Equatable {
    public enum State: Sendable, Equatable {
        /// Available, running or held: the input stays in `processing/`.
        case unfinished
        case completed
        /// Failed for good or cancelled: the input goes to `rejected/` with these words.
        case failed(Refusal)
    }

    public let job: Int64
    public let kind: SpoolKind
    /// `AcceptedFolder.name`.
    public let name: String
    public let uniqueKey: String
    /// The folder's name under `processing/`, `nil` while `FolderRegistrar.place` was not called.
    public let folder: String?
    public let state: State
    /// Of a completed job: the lease token of the attempt that completed it, if known.
    public let token: Int64?

    public init(
        job: Int64, kind: SpoolKind, name: String, uniqueKey: String, folder: String?, state: State,
        token: Int64? = nil
    ) {
        self.job = job
        self.kind = kind
        self.name = name
        self.uniqueKey = uniqueKey
        self.folder = folder
        self.state = state
        self.token = token
    }
}

/// What `SpoolStore.reconcile` did and what it found that only the daemon can settle.
public struct ReconcileReport: Sendable, Equatable {
    /// Jobs whose input was moved to `done/` or `rejected/`.
    public var finished: [Int64] = []
    /// Unfinished jobs whose folder lies in `processing/` but whose row does not know it yet: call
    /// `FolderRegistrar.place` for them (job → folder name).
    public var toPlace: [Int64: String] = [:]
    /// Unfinished jobs whose folder is neither in `processing/` nor (under the same unique key) in `incoming/`:
    /// fail them, with these words.
    public var lost: [Int64: Refusal] = [:]
    /// Sentences for the log: folders that were left alone, steps that failed.
    public var warnings: [String] = []

    public init() {}
}
