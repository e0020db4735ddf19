public import Foundation

/// How the queue stands, for those who watch it: figures of unfinished and failed jobs, never of the completed ones, of
/// which there may be millions.
public struct QueueFigures: Sendable, Equatable {
    /// The jobs of one queue.
    public struct Queue: Sendable, Equatable {
        public var name: String
        /// Could run now; paused queues and keys aside.
        public var due = 0
        /// Wait for a time that has not come.
        public var later = 0
        public var running = 0
        /// Wait for a person.
        public var held = 0
        public var failed = 0
        /// How long the longest waiting of the due ones could have run.
        public var oldestDue: Duration?
        public var isPaused = false
        /// It has due jobs and no running daemon takes them.
        public var isUnserved = false
    }

    public struct Schedule: Sendable, Equatable {
        public var name: String
        public var isEnabled: Bool
        public var next: Date?
        /// What is wrong with it.
        public var note: String?
    }

    public struct RunningJob: Sendable, Equatable {
        public var id: JobID
        public var kind: String
        public var name: String?
        /// 0…1.
        public var progress: Double
        public var message: String?
        public var runningFor: Duration
        public var host: String?
    }

    public struct Failure: Sendable, Equatable {
        public var id: JobID
        public var kind: String
        public var name: String?
        public var state: String
        public var reason: String?
        public var error: String?
    }

    /// By name.
    public var queues: [Queue] = []
    /// Daemons that are not silent.
    public var daemons = 0
    /// By name.
    public var schedules: [Schedule] = []
    /// The longest running first.
    public var running: [RunningJob] = []
    /// Of failed and held jobs the newest first.
    public var failures: [Failure] = []

    /// So many running jobs, failures and schedules are told of singly.
    public static let limit = 50
}
