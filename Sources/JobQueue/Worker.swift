public import Foundation

/// What a worker process says of itself when it begins.
public struct WorkerRegistration: Sendable, Equatable {
    public var process: ProcessIdentity
    /// Jobs it can run at a time.
    public var slots: Int
    /// The queues it claims from.
    public var queues: [String]
    public var version: String
    /// The silence after which others take its jobs.
    public var deadAfter: Duration

    /// What the schema has as well, for workers of before.
    public static let usualSilence: Duration = .seconds(30)

    public init(
        process: ProcessIdentity = .current(), slots: Int, queues: [String] = ["default"], version: String = "",
        deadAfter: Duration = usualSilence
    ) {
        self.process = process
        self.slots = slots
        self.queues = queues
        self.version = version
        self.deadAfter = deadAfter
    }
}

/// One row of `shufflenet.workers`.
public struct WorkerRow: Sendable, Equatable, Identifiable {
    public var id: WorkerID
    public var process: ProcessIdentity
    public var slots: Int
    public var version: String
    public var startedAt: Date
    public var lastHeartbeat: Date
    /// Said goodbye, or was declared dead.
    public var retiredAt: Date?
    /// Jobs it runs.
    public var running: Int
}
