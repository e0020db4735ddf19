public import Postgres

extension JobStore {
    /// Takes up to `limit` due jobs, highest priority first, in ONE statement that is committed when this returns.
    ///
    /// Empty if nothing is due, or if the worker was declared dead meanwhile (then the heartbeat says so too).
    public func claimAvailable(
        _ limit: Int, for worker: WorkerID, queues: [String] = ["default"], kinds: [JobKind] = JobKind.allCases
    ) async throws -> [ClaimedJob]

    /// Keeps where the attempt's log is, before the child starts.
    @discardableResult
    public func recordLog(_ lease: Lease, path: String) async throws -> Bool

    /// `fraction` in 0…1. Send at most one a second for a job.
    @discardableResult
    public func reportProgress(_ lease: Lease, fraction: Double, message: String?) async throws -> Bool

    /// The moment of truth: `true` means that this attempt's output, already renamed into place, is THE output.
    public func complete(
        _ lease: Lease, result: JSONDocument?, outputPath: String?, usage: AttemptUsage = AttemptUsage()
    ) async throws -> Bool

    /// Ends an attempt that went wrong. What it costs is `reason.cost`: see there.
    public func fail(
        _ lease: Lease, reason: FailureReason, error: String, usage: AttemptUsage = AttemptUsage()
    ) async throws -> FailureOutcome

    /// Ends a running job whose cancel was asked for and whose child has stopped.
    public func cancelRunning(_ lease: Lease, usage: AttemptUsage = AttemptUsage()) async throws -> Bool

    /// Gives a job back as if it had not been claimed (drain, preemption): available at once, no attempt spent.
    /// If its cancel was asked for, it becomes `cancelled` instead.
    public func release(_ lease: Lease, usage: AttemptUsage = AttemptUsage()) async throws -> Bool

    /// Whether the lease still holds, by the database. Ask before publishing files.
    public func holds(_ lease: Lease) async throws -> Bool
}

/// What became of a job whose attempt failed.
public enum FailureOutcome: Sendable, Equatable {
    /// Available again at this time.
    case retrying(at: Date)
    case failed
    /// Too many crashes: waits for a person.
    case held
    /// Its cancel had been asked for.
    case cancelled
    /// Somebody else has the job; nothing was written.
    case leaseLost
}
