public import Foundation
internal import Postgres

extension JobStore {
    /// The moment of truth: `true` means that this attempt's output, already renamed into place, is THE output.
    public func complete(
        _ lease: Lease, result: JSONDocument?, outputPath: String?, usage: AttemptUsage = AttemptUsage()
    ) async throws -> Bool {
        let completion = Completion(lease: lease, result: result, outputPath: outputPath, usage: usage)
        return try await database.query([completion.statement])[0].affected == 1
    }

    /// Ends an attempt that went wrong. What it costs is `reason.cost`: see there. A job whose cancel was asked for is
    /// cancelled instead.
    public func fail(
        _ lease: Lease, reason: FailureReason, error: String, usage: AttemptUsage = AttemptUsage()
    ) async throws -> FailureOutcome {
        guard let ended = try await end(lease, Ending(reason: reason, error: error, usage: usage, policy: retryPolicy))
        else { return .leaseLost }
        switch ended.state {
        case .held: return .held
        case .cancelled: return .cancelled
        case .failed: return .failed
        case .available, .running, .completed: return .retrying(at: ended.runAt)
        }
    }

    /// Ends a running job whose cancel was asked for and whose child has stopped.
    public func cancelRunning(_ lease: Lease, usage: AttemptUsage = AttemptUsage()) async throws -> Bool {
        try await end(lease, Ending(reason: .cancelled, error: nil, usage: usage, policy: retryPolicy)) != nil
    }

    /// Gives a job back as if it had not been claimed (drain, preemption): available at once, no attempt spent.
    /// If its cancel was asked for, it becomes `cancelled` instead.
    ///
    /// - Parameter cause: a sentence for the row, where it was no drain.
    public func release(
        _ lease: Lease, because cause: String? = nil, usage: AttemptUsage = AttemptUsage()
    ) async throws -> Bool {
        try await end(lease, Ending(reason: .preempted, error: cause, usage: usage, policy: .immediate)) != nil
    }

    /// Leaves a word with a completed job, where its last progress stood: what became of its model.
    public func remark(_ job: JobID, _ message: String) async throws {
        try await database.query(
            "UPDATE shufflenet.jobs SET progress_message = $2 WHERE id = $1 AND state = 'completed'",
            [job.rawValue, message])
    }

    private func end(_ lease: Lease, _ ending: Ending) async throws -> EndedJob? {
        let parameters: [any PostgresParameter] = ending.parameters(limits)
        let rows = try await database.query(
            Self.ending, parameters + [lease.job.rawValue, lease.token.rawValue])
        return try rows.first.map(EndedJob.init)
    }

    private static let ending = Ending.statement(
        held: """
            SELECT j.*, $2::text AS sentence FROM shufflenet.jobs AS j
            WHERE j.id = $11 AND j.lease_token = $12 AND j.state = 'running' FOR UPDATE
            """)
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

extension AttemptUsage {
    var cpuSeconds: Double? { cpuTime?.seconds }
}
