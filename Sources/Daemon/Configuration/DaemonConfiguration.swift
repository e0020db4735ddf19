import JobQueue
public import Logging
public import Runs
public import Spool

/// Everything an administrator can set, checked: a value that exists can be run with.
///
/// Made by `load` from a YAML file, `SHUFFLENETD_…` environment variables and flags, later ones on top.
public struct DaemonConfiguration: Sendable, Equatable {
    /// Where the daemon keeps what it must not lose: absolute.
    public var state: String
    /// A libpq connection string; absent: the daemon makes and runs a private cluster under `state`.
    public var database: String?
    /// Jobs that run at the same time.
    public var workers: Int
    /// Cores divided among the workers.
    public var threads: Int
    /// How long a child that was asked to stop may take before it is killed.
    public var grace: Duration
    public var logLevel: Logger.Level
    public var spool: SpoolSettings
    public var roots: Roots
    public var queue: QueueTimings
    public var retention: RetentionSettings
    public var status: StatusSettings
    /// A libpq connection string for LISTEN, when `database` goes through a transaction pooler, which swallows it.
    public var listen: String?
    /// Arguments a job takes when it doesn't name them itself, by kind.
    public var defaults: [JobSpecification.Kind: [String: JSONValue]]

    public struct SpoolSettings: Sendable, Equatable {
        public var root: String
        /// How long nothing in a dropped folder may change before it counts as complete.
        /// Nil, written as 0s, takes no folder for complete merely because it rests.
        public var quietPeriod: Duration?
        /// How often the incoming folders are read again, whatever inotify says.
        public var poll: Duration
        /// Free bytes below which nothing is taken in and nothing claimed.
        public var minimumFree: Int64
        /// Caps on what one folder or archive may hold.
        public var limits = FolderLimits()
    }

    /// Folders in which the names in a job's arguments are looked up, and where results go. Absolute.
    public struct Roots: Sendable, Equatable {
        public var datasets: String
        public var models: String
        public var results: String
        public var logs: String
    }

    public struct QueueTimings: Sendable, Equatable {
        /// One beat of the worker's heart.
        public var heartbeat: Duration
        /// Silence after which any daemon may take a worker's jobs, by the database's clock.
        public var dead: Duration
        /// Silence after which this daemon stops its own jobs, by its own clock.
        public var fence: Duration
        /// How often to look for work when no notification comes.
        public var poll: Duration
    }

    /// How long the traces of ended jobs are kept.
    public struct RetentionSettings: Sendable, Equatable {
        /// Rows, events and logs of a job, counted from its end; nil: for ever.
        public var jobs: Duration?
        /// Whether the results of a job by SQL go with its row.
        public var results: Bool
    }

    /// Where the daemon says how it stands.
    public struct StatusSettings: Sendable, Equatable {
        /// Of `index.html` and `metrics.prom`; absolute.
        public var folder: String
        /// How often they are written; zero: never.
        public var interval: Duration
    }

    /// Cores of one child.
    public var threadsPerWorker: Int { max(1, threads / workers) }

    /// Where room on the disk is needed.
    var disks: [(name: String, folder: String)] {
        [("spool", spool.root), ("results", roots.results), ("state", state)]
    }

    /// What a child is told about roots.
    public var jobRoots: JobSpecification.Roots { .init(datasets: roots.datasets, models: roots.models) }

    /// The configuration of a state folder in which nothing else is set.
    public init(state: String, cores: Int = Self.availableCores) {
        self.state = state
        database = nil
        workers = 1
        threads = cores
        grace = .seconds(30)
        logLevel = .info
        let intake = SpoolConfiguration()
        spool = SpoolSettings(
            root: "\(state)/spool", quietPeriod: intake.quietPeriod, poll: intake.rescanInterval,
            minimumFree: intake.minimumFreeBytes, limits: intake.limits)
        roots = Roots(
            datasets: "\(state)/datasets", models: "\(state)/models", results: "\(state)/results",
            logs: "\(state)/logs")
        queue = QueueTimings(
            heartbeat: .seconds(5), dead: WorkerRegistration.usualSilence, fence: .seconds(20), poll: .seconds(2))
        retention = RetentionSettings(jobs: .seconds(90 * 86400), results: false)
        status = StatusSettings(folder: "\(state)/status", interval: .seconds(10))
        listen = nil
        defaults = [:]
    }
}
