public import Foundation

/// One row of `shufflenet.jobs`: what a worker must know of it, which can be read as if it were the job's own, and the rest.
@dynamicMemberLookup
public struct Job: Sendable, Identifiable, Equatable {
    public var assignment: Assignment
    public var queue: String
    public var state: JobState
    /// Why the last attempt did not complete. A job that waits for its retry keeps the reason of the failure before.
    public var reason: FailureReason?
    public var error: String?
    /// Higher first, −100…100.
    public var priority: Int
    public var runAt: Date
    public var maxAttempts: Int
    /// Crashes of its process since the last `retry`; three hold the job.
    public var crashCount: Int
    /// How often the daemon or host that ran it went away since the last `retry`; ten hold the job.
    public var lossCount: Int
    /// How often a drain took the job back. Costs nothing.
    public var preemptCount: Int
    public var leaseToken: LeaseToken?
    public var workerID: WorkerID?
    public var cancelRequested: Bool
    public var uniqueKey: String?
    /// At most one job with a key runs at a time.
    public var concurrencyKey: String?
    /// Jobs it waits for that have not completed.
    public var waitsFor: Int
    /// Of a shard: the job whose part it is.
    public var parent: JobID?
    public var scheduleName: String?
    public var fireAt: Date?
    /// 0…1.
    public var progress: Double
    public var progressMessage: String?
    public var result: JSONDocument?
    public var outputPath: String?
    public var createdAt: Date
    public var startedAt: Date?
    public var finishedAt: Date?
    public var submittedBy: String

    public var id: JobID { assignment.id }

    public subscript<Value>(dynamicMember path: KeyPath<Assignment, Value>) -> Value { assignment[keyPath: path] }
}

/// What one successful claim hands to a worker.
public struct ClaimedJob: Sendable, Identifiable, Equatable {
    public var job: Assignment
    /// Pass it to every later verb about this run.
    public var lease: Lease
    /// Where the next claim may go on from.
    public var place: QueuePlace

    public var id: JobID { job.id }
}

/// A place in the order in which jobs are claimed.
public struct QueuePlace: Sendable, Equatable {
    let priority: Int
    let runAt: String
    let job: JobID
}

/// What a new job is made of. Only `kind` and `args` are needed.
public struct JobRequest: Sendable, Equatable {
    public var kind: JobKind
    public var args: JSONDocument
    public var name: String?
    public var queue: String
    public var priority: Int
    /// nil: at once.
    public var runAt: Date?
    public var maxAttempts: Int
    public var timeout: Duration?
    /// At most one unfinished job has a key; submitting again returns that one.
    public var uniqueKey: String?
    /// At most one job with a key runs at a time, the others wait.
    public var concurrencyKey: String?
    /// Jobs that must complete first; if one doesn't, this one is cancelled.
    public var after: [JobID]
    /// Threads of the child; nil: an equal share of the daemon's.
    public var cores: Int?
    /// Resident bytes past which the child is killed, at least 16 MiB.
    public var memoryLimit: Int64?

    public init(
        kind: JobKind,
        args: JSONDocument = .emptyObject,
        name: String? = nil,
        queue: String = "default",
        priority: Int = 0,
        runAt: Date? = nil,
        maxAttempts: Int = 3,
        timeout: Duration? = nil,
        uniqueKey: String? = nil,
        concurrencyKey: String? = nil,
        after: [JobID] = [],
        cores: Int? = nil,
        memoryLimit: Int64? = nil
    ) {
        self.kind = kind
        self.args = args
        self.name = name
        self.queue = queue
        self.priority = priority
        self.runAt = runAt
        self.maxAttempts = maxAttempts
        self.timeout = timeout
        self.uniqueKey = uniqueKey
        self.concurrencyKey = concurrencyKey
        self.after = after
        self.cores = cores
        self.memoryLimit = memoryLimit
    }
}
