extension JobStore {
    /// Throws `PostgresError` with the server's sentence and hint for bad kinds, args, names and numbers.
    public func submit(_ request: JobRequest) async throws -> JobID

    /// An available or held job is cancelled at once, a running one is asked to stop (flag and NOTIFY).
    /// Throws `PostgresError` if there is no such job.
    public func cancel(_ job: JobID) async throws -> CancelOutcome

    /// Puts a failed, cancelled or held job back in the queue, all its counters at zero. Throws for other states.
    public func retry(_ job: JobID) async throws

    /// First half of taking a folder in: makes the row, or finds the one made before for the same `identity`
    /// (whatever state it is in by now). The job is NOT claimable until `confirmSpoolFolder`, so that the row can come
    /// before the rename. Throws for bad args; then no row exists and the folder is to be rejected.
    ///
    /// - Parameters:
    ///   - name: the dropped folder's name.
    ///   - identity: what tells this drop from a later one of the same name, for instance `device:inode:mtime`.
    ///   - args: of `job.yaml`, with the defaults; without `dataset`/`images`.
    public func registerSpoolFolder(
        kind: JobKind, name: String, identity: String, args: JSONDocument, options: JobRequest? = nil
    ) async throws -> JobID

    /// Second half: the folder now lies at `processing/<folder>`. Idempotent. `false` if the job was cancelled
    /// or finished meanwhile.
    @discardableResult
    public func confirmSpoolFolder(_ job: JobID, folder: String) async throws -> Bool

    /// Spool jobs for the reconciliation at start: rows that are unconfirmed, or whose folder may still have to move.
    public func spoolJobs() async throws -> [Job]
}

public enum CancelOutcome: String, Sendable {
    /// It was waiting: it is cancelled.
    case cancelled
    /// It is running: its worker has been asked.
    case cancelling
    /// It had ended before.
    case finished
}
