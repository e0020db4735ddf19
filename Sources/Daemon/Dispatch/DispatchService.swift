import Foundation
import JobQueue
import Logging
import Postgres
import ServiceLifecycle
import Support
import Synchronization

/// The shell round `Dispatcher`: performs its actions and brings it the events. Drains at a graceful shutdown.
final class DispatchService: Service {
    private struct Slot {
        var claim: ClaimedJob
        var control = ChildControl()
    }

    private struct State {
        var machine: Dispatcher
        var slots: [Lease: Slot] = [:]
        /// Where the last claim found its job, if nothing has been heard since that could have come in front of it.
        var place: QueuePlace?
        var hints = 0
        /// While it is, nothing of it is claimed.
        var isSpoolAway = false
    }

    private let state: Mutex<State>
    private let actions: AsyncStream<Dispatcher.Action>
    private let send: AsyncStream<Dispatcher.Action>.Continuation
    /// Of the attempts that ended here.
    let tally = AttemptTally()
    private let worker: WorkerRegistry
    private let runner: AttemptRunner
    private let settler: AttemptSettler
    private let configuration: DaemonConfiguration
    private let queue: JobStore
    /// For jobs by SQL, and for those of the spool.
    private let queues: (common: String, spool: String)
    private let logger: Logger

    init(
        machine: Dispatcher, worker: WorkerRegistry, runner: AttemptRunner, settler: AttemptSettler,
        configuration: DaemonConfiguration, queue: JobStore, queues: (common: String, spool: String), logger: Logger
    ) {
        state = Mutex(State(machine: machine))
        (actions, send) = AsyncStream.makeStream(of: Dispatcher.Action.self)
        self.worker = worker
        self.runner = runner
        self.settler = settler
        self.configuration = configuration
        self.queue = queue
        self.queues = queues
        self.logger = logger
    }

    // MARK: Events, from anywhere

    /// Hints that there may be work.
    func lookForWork() {
        state.withLock { state in
            state.place = nil
            state.hints += 1
        }
        feed { $0.lookForWork(.now) }
    }
    func setBlocked(_ blocked: Bool) { feed { $0.setBlocked(blocked, .now) } }

    func setSpoolAway(_ isAway: Bool) {
        let wasAway = state.withLock { state in
            defer { state.isSpoolAway = isAway }
            return state.isSpoolAway
        }
        if wasAway && !isAway { lookForWork() }
    }

    func cancelRequested(_ job: JobID) { feed { $0.cancelRequested(job) } }
    func leaseLost(_ lease: Lease) { feed { $0.leaseLost(lease) } }
    func heartbeatAnswered(sent: Dispatcher.Instant) { feed { $0.heartbeatAnswered(sent: sent, .now) } }
    func drain() { feed { $0.drain() } }

    /// Ends at once what can be ended: children are killed, an unanswered database is waited for no longer.
    func hasten() {
        settler.impatience.raise()
        feed { $0.hasten() }
    }

    /// Leases this daemon works on or settles.
    var leases: Set<Lease> { state.withLock { Set($0.slots.keys) } }
    var running: Int { state.withLock { $0.machine.running } }
    var isDraining: Bool { state.withLock { $0.machine.isDraining } }
    /// Since the last answered heartbeat was sent.
    var silence: Duration { state.withLock { $0.machine.silence(.now) } }

    private func feed(_ event: (inout Dispatcher) -> [Dispatcher.Action]) {
        // Sent under the lock, so that actions leave in the order of the events that caused them.
        state.withLock { state in
            for action in event(&state.machine) { send.yield(action) }
        }
    }

    // MARK: Actions

    func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskCancellationHandler {
                await withDiscardingTaskGroup { group in
                    group.addTask { await self.watchClocks() }
                    for await action in actions {
                        if action == .finish { break }
                        perform(action, in: &group)
                    }
                    group.cancelAll()
                }
            } onCancel: {
                // Actions are listened to no longer: the children are told directly.
                settler.impatience.raise()
                for slot in state.withLock({ Array($0.slots.values) }) { slot.control.kill() }
            }
        } onGracefulShutdown: {
            self.logger.info("draining: children are asked to write a checkpoint and end")
            self.drain()
            self.waitForTheDatabaseNoLongerThanOthers()
        }
        logger.info("drained")
    }

    /// A daemon that ends writes what it has to say of its jobs; past this time others take them for abandoned anyway.
    private func waitForTheDatabaseNoLongerThanOthers() {
        Task {
            try await Task.sleep(for: configuration.queue.dead)
            settler.impatience.raise()
        }
    }

    private func perform(_ action: Dispatcher.Action, in group: inout DiscardingTaskGroup) {
        switch action {
        case .claim(let limit):
            group.addTask { await self.claim(limit) }
        case .start(let lease):
            guard let slot = state.withLock({ $0.slots[lease] }) else { return }
            group.addTask { await self.attempt(slot) }
        case .giveBack(let lease):
            group.addTask { await self.giveBack(lease) }
        case .stop(let lease):
            state.withLock { $0.slots[lease] }?.control.stop(grace: configuration.grace)
        case .kill(let lease):
            state.withLock { $0.slots[lease] }?.control.kill()
        case .settle, .finish:
            preconditionFailure("settlements are carried out by the attempt they belong to")
        }
    }

    private func claim(_ limit: Int) async {
        do {
            let (place, hints, queues) = state.withLock { ($0.place, $0.hints, claimed($0)) }
            let claims = try await Database.nearby {
                try await queue.claimAvailable(limit, for: worker.current, queues: queues, behind: place)
            }
            keep(claims, askedAt: hints)
            feed { $0.claimed(claims.map { ($0.lease, $0.job.timeout) }, .now) }
        } catch {
            logger.warning("could not claim", metadata: ["error": "\(error)"])
            feed { $0.claimFailed(.now) }
        }
    }

    /// The queues that jobs are claimed from.
    private func claimed(_ state: State) -> [String] {
        state.isSpoolAway ? [queues.common] : [queues.common, queues.spool]
    }

    private func keep(_ claims: [ClaimedJob], askedAt hints: Int) {
        state.withLock { state in
            for claim in claims { state.slots[claim.lease] = Slot(claim: claim) }
            if state.hints == hints { state.place = claims.last?.place }
        }
    }

    private func attempt(_ slot: Slot) async {
        let (claim, lease) = (slot.claim, slot.claim.lease)
        logger.info(
            "started",
            metadata: ["job": "\(claim.id)", "kind": "\(claim.job.kind)", "attempt": "\(claim.job.attempt)"])
        // Starting a child, its log and its folders are blocking work; claims must not wait for a thread behind it.
        let executor = BlockingExecutor(label: "shufflenetd.attempt")
        let outcome = await shielded(on: executor) {
            await self.runner.run(claim, control: slot.control) { self.leaseLost(lease) }
        }
        // At once: what is given back would be claimed again before anybody has looked.
        if outcome.verdict == .spoolGone { setSpoolAway(true) }
        // The one action that is not sent round: it belongs to this task.
        let decided = state.withLock { $0.machine.childEnded(lease, outcome.verdict, .now) }
        guard case .settle(_, let settlement)? = decided.first else { return }
        tally.add(claim.job.kind, settlement, outcome.usage)
        let ending = await shielded(on: executor) {
            await self.settler.settle(claim, settlement, usage: outcome.usage, at: self.desk(of: lease))
        }
        state.withLock { _ = $0.slots.removeValue(forKey: lease) }
        feed { $0.settled(lease, givenUp: ending == .givenUp, .now) }
    }

    private func desk(of lease: Lease) -> AttemptSettler.Desk {
        AttemptSettler.Desk(
            mayPublish: { self.state.withLock { $0.machine.mayPublish(lease, .now) } },
            handOver: { try await self.handOver(lease, $0) })
    }

    private func handOver(
        _ lease: Lease, _ completion: @Sendable (NextClaim?) async throws -> Succession
    ) async throws -> Bool {
        let (claim, hints) = state.withLock { state in
            let isWanted = state.machine.mayClaimNext(after: lease, .now)
            let claim = NextClaim(for: worker.current, queues: claimed(state), behind: state.place)
            return (isWanted ? claim : nil, state.hints)
        }
        let succession = try await completion(claim)
        if let next = succession.next {
            keep([next], askedAt: hints)
            feed { $0.claimedNext(after: lease, (next.lease, next.job.timeout), .now) }
        }
        return succession.isCompleted
    }

    /// Releases a lease that has no child here.
    func giveBack(_ lease: Lease) async {
        state.withLock { _ = $0.slots.removeValue(forKey: lease) }
        do {
            _ = try await queue.release(lease)
            logger.info("given back", metadata: ["lease": "\(lease)"])
        } catch {
            // Nothing is lost: the next heartbeats find a lease that nobody works on.
            logger.warning("could not give back", metadata: ["lease": "\(lease)", "error": "\(error)"])
        }
    }

    /// Runs `body` in a task of its own: when the group is cancelled, children are ended by signals and the last write
    /// about each job must still be made.
    private func shielded<Value: Sendable>(
        on executor: BlockingExecutor, _ body: @escaping @Sendable () async -> Value
    ) async -> Value {
        await Task(executorPreference: executor) { await body() }.value
    }

    private func watchClocks() async {
        let beat = min(configuration.queue.fence / 20, .milliseconds(250))
        while !Task.isCancelled {
            feed { $0.tick(.now) }
            try? await Task.sleep(for: beat)
        }
    }
}
