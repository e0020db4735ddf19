import JobQueue
import Logging
import ServiceLifecycle

/// Says at every beat that this worker lives, and acts on what the answer says about its jobs.
///
/// Beats on after the dispatcher was asked to drain; says goodbye when its own turn comes.
actor Heart: Service {
    private let queue: JobStore
    private let worker: WorkerRegistry
    private let dispatch: DispatchService
    private let registration: WorkerRegistration
    private let interval: Duration
    private let logger: Logger
    private var audit = LeaseAudit()

    /// - Parameter queue: on a connection of its own, so that a beat never waits behind other statements.
    init(
        queue: JobStore, worker: WorkerRegistry, dispatch: DispatchService, registration: WorkerRegistration,
        interval: Duration, logger: Logger
    ) {
        self.queue = queue
        self.worker = worker
        self.dispatch = dispatch
        self.registration = registration
        self.interval = interval
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.beat()
                try? await Task.sleep(for: self.interval)
            }
        }
        do {
            try await queue.retireWorker(worker.current)
        } catch {
            logger.warning("could not say goodbye to the queue", metadata: ["error": "\(error)"])
        }
    }

    private func beat() async {
        let sent = Dispatcher.Instant.now
        let before = dispatch.leases
        do {
            let answer = try await queue.heartbeat(worker.current)
            let findings = audit.compare(answer, heldBefore: before, heldNow: dispatch.leases)
            for lease in findings.lost { dispatch.leaseLost(lease) }
            for lease in findings.cancelRequested { dispatch.cancelRequested(lease.job) }
            if answer.isAlive {
                dispatch.heartbeatAnswered(sent: sent)
            } else {
                try await registerAnew()
            }
            // Beside the beat, which must not wait for the connections of others.
            for lease in findings.strangers { Task { await dispatch.giveBack(lease) } }
        } catch {
            if Task.isCancelled { return }
            logger.warning("a heartbeat was not answered", metadata: ["error": "\(error)"])
        }
    }

    private func registerAnew() async throws {
        logger.warning("the queue had declared this daemon dead; it registers anew")
        let sent = Dispatcher.Instant.now
        worker.replace(with: try await queue.registerWorker(registration))
        dispatch.heartbeatAnswered(sent: sent)
    }
}
