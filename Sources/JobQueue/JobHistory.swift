public import Foundation

/// One change of a job's state: a row of view `shufflenet.job_events`.
public struct JobEvent: Sendable, Equatable {
    public var job: JobID
    public var at: Date
    /// nil: the job was made.
    public var from: JobState?
    public var to: JobState
    public var reason: FailureReason?
    public var message: String?
    public var attempt: Int
    public var worker: WorkerID?
    /// The database role that changed it.
    public var actor: String
}

/// One run of a job: a row of `shufflenet.job_attempts`.
public struct JobAttempt: Sendable, Equatable {
    public var job: JobID
    public var attempt: Int
    public var token: LeaseToken
    public var worker: WorkerID?
    public var startedAt: Date
    public var finishedAt: Date?
    public var reason: FailureReason?
    public var error: String?
    public var logPath: String?
    public var cpuTime: Duration?
    public var peakMemoryBytes: Int64?
}

/// What an attempt used, measured by whoever waited for the child.
public struct AttemptUsage: Sendable, Equatable {
    public var cpuTime: Duration?
    public var peakMemoryBytes: Int64?

    public init(cpuTime: Duration? = nil, peakMemoryBytes: Int64? = nil) {
        self.cpuTime = cpuTime
        self.peakMemoryBytes = peakMemoryBytes
    }
}
