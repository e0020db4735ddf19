public import Logging
public import Postgres

/// The queue as a set of verbs over `shufflenet.jobs` and its neighbours. Holds no state but a pool of connections.
///
/// No transaction spans a job: every verb commits before it returns. Verbs about a running job take its `Lease` and
/// write only `WHERE id AND lease_token AND state = 'running'`; `false` (or `.leaseLost`) means that somebody else has
/// the job now, so the caller abandons it and publishes nothing. Every verb throws `PostgresError`; after a lost
/// connection it is not known whether the write happened, and calling again is safe for all but `submit` without a
/// unique key.
public struct JobStore: Sendable {
    public let database: Database
    public var limits: CrashLimits
    public var retryPolicy: RetryPolicy
    let logger: Logger

    public init(
        _ database: Database, limits: CrashLimits = CrashLimits(), retryPolicy: RetryPolicy = RetryPolicy(),
        logger: Logger = Logger(label: "shufflenetd.queue")
    ) {
        self.database = database
        self.limits = limits
        self.retryPolicy = retryPolicy
        self.logger = logger
    }
}

/// After how many crashes a job is held for a person.
public struct CrashLimits: Sendable, Equatable {
    /// Of the job's own process.
    public var crashes: Int
    /// Of the daemon or host under it. More, since these are mostly not the job's doing; not without end, since a job
    /// that takes its host down with it must stop somewhere.
    public var losses: Int

    public init(crashes: Int = 3, losses: Int = 10) {
        self.crashes = crashes
        self.losses = losses
    }
}
