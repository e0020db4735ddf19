public import JobQueue
public import Runs

/// Decides which jobs this daemon claims, starts, stops and publishes. Events go in, actions come out; the clock is a
/// parameter, and nothing here waits, writes or locks.
///
/// Safety rests on three rules. A lease is only as good as the last heartbeat the database answered: past the fence
/// every child is killed and nothing is published. A job is settled exactly once, after its child has ended. What was
/// claimed but may not start (drain, fence) is given back without being charged.
public struct Dispatcher: Sendable {
    public typealias Instant = ContinuousClock.Instant

    /// Why a running child was asked to end; a later, larger cause replaces an earlier one.
    public enum StopCause: Int, Sendable, Comparable {
        case drain, timeout, cancel

        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    public enum Settlement: Sendable, Equatable {
        case publish(RunResult)
        case fail(FailureReason, String)
        case cancel
        /// Back to the queue, nothing charged.
        case release
        /// The same, since the spool it worked in is away.
        case releaseForSpool
        /// Somebody else may have the job: touch nothing under a final name, write nothing.
        case abandon
    }

    public enum Action: Sendable, Equatable {
        /// Claim up to this many jobs and report with `claimed` or `claimFailed`.
        case claim(Int)
        /// Start the child of a job reported by `claimed`.
        case start(Lease)
        /// Release a job that has no child.
        case giveBack(Lease)
        /// SIGTERM, and SIGKILL after the grace.
        case stop(Lease)
        case kill(Lease)
        /// The child has ended: carry this out and report with `settled`.
        case settle(Lease, Settlement)
        /// Drained: nothing runs and nothing will.
        case finish
    }

    private enum Phase: Equatable {
        case working
        case stopping(StopCause)
        /// The lease can no longer be trusted. `owed`: it was not taken away, so it has to be given back.
        case abandoned(owed: Bool)
        case settling(owed: Bool)
        /// All is written, and the slot has gone to the next job; folders are still being put in order.
        case tidying
    }

    private struct Attempt {
        var phase: Phase
        var deadline: Instant?
    }

    private enum Mode: Equatable {
        case open, draining, finished
    }

    private let slots: Int
    private let fenceAfter: Duration
    private var attempts: [Lease: Attempt] = [:]
    private var mode = Mode.open
    private var claimInFlight = false
    private var lookAgain = false
    private var blocked = false
    /// When the last answered heartbeat was sent.
    private var answeredBeat: Instant
    /// Fenced leases that are still ours in the database; to be given back once it answers.
    private var owed: [Lease] = []

    /// - Parameters:
    ///   - fenceAfter: silence of the database after which this daemon trusts no lease of its own.
    ///   - registered: when the registration of this worker was *sent*.
    public init(slots: Int, fenceAfter: Duration, registered: Instant) {
        precondition(slots > 0, "a dispatcher needs at least one slot")
        self.slots = slots
        self.fenceAfter = fenceAfter
        answeredBeat = registered
    }

    /// Jobs that hold a slot.
    public var running: Int { attempts.values.count { $0.phase != .tidying } }
    public var isDraining: Bool { mode != .open }

    /// Since the last answered heartbeat was sent.
    public func silence(_ now: Instant) -> Duration { now - answeredBeat }

    public func isFenced(_ now: Instant) -> Bool { now - answeredBeat >= fenceAfter }

    // MARK: Work

    /// A notification or the poll timer says that there may be work.
    public mutating func lookForWork(_ now: Instant) -> [Action] {
        if claimInFlight {
            lookAgain = true
            return []
        }
        let free = slots - running
        guard mode == .open, !blocked, !isFenced(now), free > 0 else { return [] }
        claimInFlight = true
        lookAgain = false
        return [.claim(free)]
    }

    /// Low disk space or the like: nothing new is claimed while it lasts.
    public mutating func setBlocked(_ blocked: Bool, _ now: Instant) -> [Action] {
        guard blocked != self.blocked else { return [] }
        self.blocked = blocked
        return blocked ? [] : lookForWork(now)
    }

    /// The claim's answer. A lease with a time limit must end within it, counted from now.
    public mutating func claimed(_ leases: [(lease: Lease, timeout: Duration?)], _ now: Instant) -> [Action] {
        claimInFlight = false
        var actions = leases.map { admit($0.lease, timeout: $0.timeout, now) }
        if lookAgain { actions += lookForWork(now) }
        return actions + finishIfDrained()
    }

    public mutating func claimFailed(_ now: Instant) -> [Action] {
        claimInFlight = false
        // No second try at once: the poll timer comes soon enough, and the database may be in trouble.
        lookAgain = false
        return finishIfDrained()
    }

    private mutating func admit(_ lease: Lease, timeout: Duration?, _ now: Instant) -> Action {
        // The answer may come long after the question: the daemon may have begun to drain, or been stopped past its fence
        // meanwhile.
        guard mode == .open, !isFenced(now) else { return .giveBack(lease) }
        attempts[lease] = Attempt(phase: .working, deadline: timeout.map { now + $0 })
        return .start(lease)
    }

    // MARK: Ends

    /// The child is gone and reaped. Every lease ends here exactly once.
    public mutating func childEnded(_ lease: Lease, _ verdict: ChildVerdict, _ now: Instant) -> [Action] {
        guard let attempt = attempts[lease] else { return [] }
        var phase = attempt.phase
        // Looked at here as well: after a SIGSTOP and SIGCONT of the daemon this may run before any timer.
        if isFenced(now), phase != .abandoned(owed: false) { phase = .abandoned(owed: true) }
        let settlement: Settlement
        switch phase {
        case .working: settlement = Self.unasked(verdict)
        case .stopping(let cause): settlement = Self.asked(verdict, cause)
        case .abandoned: settlement = .abandon
        case .settling, .tidying: return []
        }
        attempts[lease]?.phase = .settling(owed: phase == .abandoned(owed: true))
        return [.settle(lease, settlement)]
    }

    private static func unasked(_ verdict: ChildVerdict) -> Settlement {
        switch verdict {
        case .succeeded(let result): .publish(result)
        case .failed(let failure): .fail(failure.queueReason, failure.message)
        // Charged as an attempt: given back for nothing, a child that always ends so would run for ever.
        case .preempted: .fail(.error, "the child process ended early (exit status 75) though nobody had asked it to")
        case .crashed(let message): .fail(.workerCrash, message)
        case .outOfMemory(let message): .fail(.outOfMemory, message)
        case .spoolGone: .releaseForSpool
        }
    }

    private static func asked(_ verdict: ChildVerdict, _ cause: StopCause) -> Settlement {
        switch verdict {
        // It was done before the request reached it; throwing the work away would help nobody.
        case .succeeded(let result): return .publish(result)
        case .failed(let failure) where failure.reason == .badInput: return .fail(.badInput, failure.message)
        case .failed, .preempted, .crashed, .outOfMemory, .spoolGone: break
        }
        switch cause {
        case .cancel: return .cancel
        case .timeout: return .fail(.timeout, "the job ran longer than its time limit")
        case .drain: return .release
        }
    }

    /// Asked just before the first change under a final name.
    public func mayPublish(_ lease: Lease, _ now: Instant) -> Bool {
        guard case .settling(owed: false) = attempts[lease]?.phase else { return false }
        return !isFenced(now)
    }

    /// Asked just before the commit that completes a job: whether that may claim another one for its slot.
    public func mayClaimNext(after lease: Lease, _ now: Instant) -> Bool {
        mode == .open && !blocked && mayPublish(lease, now)
    }

    /// The commit for `lease` has claimed another job, which gets its slot; `settled` still follows.
    public mutating func claimedNext(
        after lease: Lease, _ next: (lease: Lease, timeout: Duration?), _ now: Instant
    ) -> [Action] {
        attempts[lease]?.phase = .tidying
        return [admit(next.lease, timeout: next.timeout, now)]
    }

    /// The settlement was carried out, or given up: `givenUp` says that the lease may still be ours in the database.
    public mutating func settled(_ lease: Lease, givenUp: Bool = false, _ now: Instant) -> [Action] {
        guard let attempt = attempts.removeValue(forKey: lease) else { return [] }
        if givenUp || attempt.phase == .settling(owed: true) { owed.append(lease) }
        return lookForWork(now) + finishIfDrained()
    }

    // MARK: Requests and clocks

    public mutating func cancelRequested(_ job: JobID) -> [Action] {
        attempts.keys.filter { $0.job == job }.flatMap { stop($0, .cancel) }
    }

    /// The database says that somebody else has the job now.
    public mutating func leaseLost(_ lease: Lease) -> [Action] {
        guard let attempt = attempts[lease] else { return [] }
        switch attempt.phase {
        // Its own commit will tell the settlement.
        case .settling, .tidying, .abandoned(owed: false): return []
        case .working, .stopping, .abandoned(owed: true):
            attempts[lease]?.phase = .abandoned(owed: false)
            return [.kill(lease)]
        }
    }

    /// The database answered a heartbeat that was sent at `sent`.
    public mutating func heartbeatAnswered(sent: Instant, _ now: Instant) -> [Action] {
        let wasFenced = isFenced(now)
        answeredBeat = max(answeredBeat, sent)
        guard !isFenced(now) else { return [] }
        // An answer after the fence does not bring the old leases back: their children are on the way out.
        var actions = wasFenced ? abandonAll() : []
        actions += owed.map { .giveBack($0) }
        owed.removeAll()
        return actions + lookForWork(now)
    }

    /// Looks at the fence and at the time limits. To be called a few times a second.
    public mutating func tick(_ now: Instant) -> [Action] {
        if isFenced(now) { return abandonAll() }
        let late = attempts.filter { $0.value.deadline.map { $0 <= now } ?? false }.map(\.key)
        return late.flatMap { lease in
            attempts[lease]?.deadline = nil
            return stop(lease, .timeout)
        }
    }

    /// Claims nothing more and asks all children to checkpoint and end.
    public mutating func drain() -> [Action] {
        guard mode == .open else { return [] }
        mode = .draining
        return sorted.flatMap { stop($0, .drain) } + finishIfDrained()
    }

    /// The second request to end: children are killed, their jobs go back.
    public mutating func hasten() -> [Action] {
        let actions = drain()
        let alive = sorted.filter {
            switch attempts[$0]?.phase {
            case .working, .stopping, .abandoned: true
            case .settling, .tidying, nil: false
            }
        }
        return actions + alive.map { .kill($0) }
    }

    private var sorted: [Lease] { attempts.keys.sorted { $0.token < $1.token } }

    private mutating func stop(_ lease: Lease, _ cause: StopCause) -> [Action] {
        switch attempts[lease]?.phase {
        case .working:
            attempts[lease]?.phase = .stopping(cause)
            return [.stop(lease)]
        case .stopping(let earlier):
            attempts[lease]?.phase = .stopping(max(earlier, cause))
            return []
        case .abandoned, .settling, .tidying, nil:
            return []
        }
    }

    private mutating func abandonAll() -> [Action] {
        var actions: [Action] = []
        for lease in sorted {
            switch attempts[lease]?.phase {
            case .working, .stopping:
                attempts[lease]?.phase = .abandoned(owed: true)
                actions.append(.kill(lease))
            case .abandoned, .settling, .tidying, nil:
                break
            }
        }
        return actions
    }

    private mutating func finishIfDrained() -> [Action] {
        guard mode == .draining, attempts.isEmpty, !claimInFlight else { return [] }
        mode = .finished
        return [.finish]
    }
}

extension RunFailure {
    /// The queue's word for the failure.
    var queueReason: FailureReason {
        switch reason {
        case .badInput: .badInput
        case .preempted: .preempted
        case .diskFull: .diskFull
        case .error: .error
        }
    }
}
