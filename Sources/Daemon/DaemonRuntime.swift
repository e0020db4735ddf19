import Foundation
import Glibc
import JobQueue
public import Logging
import Postgres
import ServiceLifecycle
import Spool
import Support
import Synchronization

/// The daemon: everything made in order of dependence, then run as services until a signal asks for the end.
public struct DaemonRuntime: Sendable {
    public let configuration: DaemonConfiguration
    /// What is started for each job; the default is this program itself.
    public var childProgram = "/proc/self/exe"
    /// For tests: the step of the spool's protocol behind which the daemon kills itself.
    public var fatalStep: String?
    private let environment: [String: String]
    private let logger: Logger

    public static let version = "0.1.0"

    public init(configuration: DaemonConfiguration, environment: [String: String], logger: Logger) {
        self.configuration = configuration
        self.environment = environment
        self.logger = logger
    }

    /// Runs until SIGTERM or SIGINT and the drain that follows. Throws what stands in the way of a start: `StateLock.Taken`,
    /// `SystemError`, `SpoolError`, `PostgresError`, `PrivateClusterError`.
    public func run() async throws {
        // With a umask of 0 or a client that hangs up, children and sockets behave as in a service manager.
        signal(SIGPIPE, SIG_IGN)
        let work = Mutex<Task<Void, any Error>?>(nil)
        let giveUp: @Sendable () -> Void = { work.withLock { $0 }?.cancel() }
        let signals = TerminationSignals(.init(first: giveUp, further: giveUp), logger: logger)
        try await signals.during {
            let task = Task { try await start(signals) }
            work.withLock { $0 = task }
            do {
                try await task.value
            } catch is CancellationError {
                logger.notice("ended before it was ready")
            }
        }
    }

    private func start(_ signals: TerminationSignals) async throws {
        try makeFolders()
        let lock = try StateLock(state: configuration.state)
        defer { withExtendedLifetime(lock) {} }

        let (settings, cluster) = try await openDatabase()
        do {
            try Task.checkCancellation()
            try await runServices(settings, cluster, signals)
        } catch {
            await stop(cluster)
            throw error
        }
    }

    private func makeFolders() throws {
        let roots = configuration.roots
        for folder in [configuration.state, roots.datasets, roots.models, roots.results, roots.logs] {
            try FileTree.make(folder)
        }
        if configuration.status.interval > .zero { try FileTree.make(configuration.status.folder) }
    }

    private func openDatabase() async throws -> (ConnectionSettings, PrivateCluster?) {
        let cluster =
            configuration.database == nil ? PrivateCluster(state: configuration.state, logger: logger) : nil
        do {
            if let cluster {
                // Not given up half-way, when nobody could tell what runs.
                _ = try await Task { try await cluster.start() }.value
                try Task.checkCancellation()
                logger.notice(
                    "a private PostgreSQL runs; for SQL: psql -h \(cluster.socketFolder) -U \(PrivateCluster.owner) \(PrivateCluster.owner)"
                )
            }
            let settings = try DatabaseAddress.settings(configuration)
            try await migrate(settings)
            return (settings, cluster)
        } catch {
            await stop(cluster)
            throw error
        }
    }

    /// In a task of its own: the one that gives up the start may be cancelled.
    private func stop(_ cluster: PrivateCluster?) async {
        await Task { try? await cluster?.stop() }.value
    }

    /// Brings the schema up to date; a database that cannot be reached is waited for, as after a boot of both.
    private func migrate(_ settings: ConnectionSettings) async throws {
        let backoff = Backoff(first: .milliseconds(500), cap: .seconds(10))
        var failures = 0
        while true {
            do {
                let applied = try await JobStore.migrate(settings)
                if !applied.isEmpty { logger.notice("brought the schema to version \(applied.max() ?? 0)") }
                return
            } catch let error as PostgresError where error.isConnectionLost && failures < 60 {
                failures += 1
                logger.warning("waiting for the database", metadata: ["error": "\(error)"])
                try await Task.sleep(for: backoff.delay(afterFailures: failures))
            }
        }
    }

    /// Statements are short, so many workers share few connections: a server with more of them at work than it has cores
    /// does less, not more.
    static func connections(workers: Int) -> Int { min(workers + 4, 12) }

    private func runServices(
        _ settings: ConnectionSettings, _ cluster: PrivateCluster?, _ signals: TerminationSignals
    ) async throws {
        let listening = try DatabaseAddress.listening(configuration)
        let queue = JobStore(
            Database(settings, capacity: Self.connections(workers: configuration.workers)), logger: logger)
        let database = try await queue.databaseIdentity()
        let spool = try SpoolStore(root: configuration.spool.root, database: database, fatalStep: fatalStep)
        let results = try ResultStore(root: configuration.roots.results, database: database)
        let spoolQueue = "spool-\(spool.identifier)"

        let queues = (common: "default", spool: spoolQueue)
        let registration = WorkerRegistration(
            slots: configuration.workers, queues: [queues.common, queues.spool], version: Self.version,
            deadAfter: configuration.queue.dead)
        let registered = Dispatcher.Instant.now
        let worker = WorkerRegistry(try await queue.registerWorker(registration))
        for rescued in try await queue.rescueDeadNeighbours(of: registration.process) {
            logger.notice("took back a job of a daemon that is gone", metadata: ["lease": "\(rescued.lease)"])
        }

        let publisher = ModelPublisher(
            queue: queue, results: results, spool: spool, models: configuration.roots.models, logger: logger)
        let dispatch = DispatchService(
            machine: Dispatcher(
                slots: configuration.workers, fenceAfter: configuration.queue.fence, registered: registered),
            worker: worker,
            runner: AttemptRunner(
                configuration: configuration, queue: queue,
                host: ChildHost(program: childProgram, grace: configuration.grace, logger: logger), results: results,
                spool: spool, publisher: publisher, logger: logger),
            settler: AttemptSettler(
                configuration: configuration, queue: queue, results: results, spool: spool, logger: logger,
                impatience: Impatience()),
            configuration: configuration, queue: queue, queues: queues, logger: logger)

        let registrar = SpoolRegistrar(queue: queue, queueName: spoolQueue, logger: logger) { dispatch.lookForWork() }
        let sweep = FolderSweep(
            queue: queue, results: results, spool: spool, publisher: publisher, logger: logger
        ) { Set(dispatch.leases.map(\.job)) }
        try await Reconciliation(queue: queue, spool: spool, registrar: registrar, sweep: sweep, logger: logger).run()

        var heartSettings = settings
        // Of several beats within the fence a lost one must not be the last.
        heartSettings.statementTimeout = min(settings.statementTimeout, configuration.queue.fence / 4)
        let heart = Heart(
            queue: JobStore(Database(heartSettings, capacity: 1), logger: logger), worker: worker, dispatch: dispatch,
            registration: registration, interval: configuration.queue.heartbeat, logger: logger)
        let ground = GroundWatch(
            spool: spool, folders: configuration.disks.map(\.folder), minimum: configuration.spool.minimumFree,
            dispatch: dispatch, logger: logger)
        await ground.look()

        try await serve(
            signals: signals, cluster: cluster, dispatch: dispatch, heart: heart,
            duties: duties(queue, registration, sweep, ground),
            folder: StatusFolder(configuration: configuration, queue: queue, dispatch: dispatch, logger: logger),
            intake: SpoolIntake(
                store: spool, configuration: spoolConfiguration, registrar: registrar, logger: logger),
            hints: HintService(
                listener: QueueListener(
                    listening, probedBy: queue.database,
                    pollInterval: configuration.queue.poll),
                queue: queue, dispatch: dispatch, logger: logger))
        await queue.database.close()
    }

    private func duties(
        _ queue: JobStore, _ registration: WorkerRegistration, _ sweep: FolderSweep, _ ground: GroundWatch
    ) -> [RepeatingDuty] {
        let (timings, logger) = (configuration.queue, self.logger)
        let unserved = UnservedQueues(queue: queue, logger: logger)
        let retention = Retention(
            settings: configuration.retention, roots: configuration.roots, queue: queue, logger: logger)
        return [
            RepeatingDuty(name: "the rescue of abandoned jobs", interval: timings.poll, logger: logger) {
                let neighbours = try await queue.rescueDeadNeighbours(of: registration.process)
                let abandoned = try await queue.rescueAbandoned()
                for rescued in neighbours + abandoned {
                    logger.notice(
                        "took back a job of a daemon that is gone",
                        metadata: ["lease": "\(rescued.lease)", "state": "\(rescued.state)"])
                }
            },
            RepeatingDuty(name: "the look at the schedules", interval: .seconds(1), logger: logger) {
                for fired in try await queue.tickSchedules().fired {
                    logger.info("a schedule fired", metadata: ["schedule": "\(fired.schedule)", "job": "\(fired.job)"])
                }
            },
            RepeatingDuty(name: "the sweep of ended jobs' folders", interval: .seconds(5), logger: logger) {
                try await sweep.run()
            },
            RepeatingDuty(name: "the look at queues that nobody serves", interval: .seconds(60), logger: logger) {
                try await unserved.look()
            },
            RepeatingDuty(name: "the forgetting of old jobs", interval: .seconds(3600), logger: logger) {
                try await retention.run()
            },
            RepeatingDuty(name: "the look at spool and disks", interval: .seconds(5), logger: logger) {
                await ground.look()
            },
        ]
    }

    private var spoolConfiguration: SpoolConfiguration {
        var spool = SpoolConfiguration()
        spool.quietPeriod = configuration.spool.quietPeriod
        if let quiet = spool.quietPeriod { spool.settlePeriod = min(spool.settlePeriod, quiet) }
        spool.rescanInterval = configuration.spool.poll
        spool.pollInterval = min(spool.pollInterval, configuration.spool.poll)
        spool.minimumFreeBytes = configuration.spool.minimumFree
        spool.limits = configuration.spool.limits
        return spool
    }

    /// The order is that of dependence; the shutdown goes backwards: first no news of work, then the drain of what runs
    /// under a beating heart, then goodbye to the queue, and the database last.
    private func serve(
        signals: TerminationSignals, cluster: PrivateCluster?, dispatch: DispatchService, heart: Heart,
        duties: [RepeatingDuty], folder: StatusFolder, intake: SpoolIntake, hints: HintService
    ) async throws {
        let status = StatusService(
            notifier: SystemdNotifier(environment: environment), dispatch: dispatch, slots: configuration.workers,
            place: configuration.state)
        var services: [any Service] = []
        if let cluster { services.append(ClusterKeeper(cluster: cluster, logger: logger)) }
        services.append(heart)
        services += duties.map { $0 as any Service }
        // Tells of the drain as well.
        if configuration.status.interval > .zero { services.append(folder) }
        services += [dispatch, intake, hints, status] as [any Service]
        let group = ServiceGroup(services: services, logger: quiet(logger))
        try signals.hand(
            to: .init(first: { await group.triggerGracefulShutdown() }, further: { dispatch.hasten() }))
        logger.notice(
            "ready: workers \(configuration.workers), threads of each \(configuration.threadsPerWorker), spool at \(configuration.spool.root)"
        )
        try await group.run()
        logger.notice("ended")
    }

    /// The group's own lines are of interest only when something is wrong with it.
    private func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .error)
        return logger
    }
}
