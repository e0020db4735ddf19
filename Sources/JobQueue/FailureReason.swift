/// Why an attempt did not complete: `jobs.reason`.
public enum FailureReason: String, Sendable, Codable, CaseIterable, CustomStringConvertible {
    case badInput = "bad_input"
    case timeout
    case outOfMemory = "out_of_memory"
    case workerCrash = "worker_crash"
    case leaseLost = "lease_lost"
    case preempted
    case diskFull = "disk_full"
    case cancelled
    case error

    /// What a failure for this reason costs the job.
    public var cost: Cost {
        switch self {
        case .timeout, .outOfMemory, .diskFull, .error: .attempt
        case .workerCrash: .crash
        case .leaseLost: .loss
        case .preempted: .nothing
        case .badInput, .cancelled: .job
        }
    }

    public enum Cost: String, Sendable {
        /// One of `max_attempts`; then the job fails for good.
        case attempt
        /// One crash; the third holds the job. Spends no attempt.
        case crash
        /// One loss of the daemon or host, which is mostly not the job's doing; the tenth holds the job.
        case loss
        /// Nothing: the job goes back as if this claim had not been.
        case nothing
        /// The job: trying again would give the same answer.
        case job
    }

    public var description: String { rawValue }
}
