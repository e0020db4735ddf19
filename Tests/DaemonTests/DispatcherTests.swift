import JobQueue
import Runs
import Testing

@testable import Daemon

@Suite struct DispatcherTests {
    let start = ContinuousClock.now
    let one = Lease(job: JobID(1), token: LeaseToken(101))
    let two = Lease(job: JobID(2), token: LeaseToken(102))
    let done = RunResult(figures: [:], files: [:], summary: "done")

    func at(_ seconds: Double) -> ContinuousClock.Instant { start + .milliseconds(Int64(seconds * 1000)) }

    func dispatcher(slots: Int = 2) -> Dispatcher {
        Dispatcher(slots: slots, fenceAfter: .seconds(20), registered: start)
    }

    /// A dispatcher in which these leases work.
    func working(_ leases: Lease..., slots: Int = 2, timeout: Duration? = nil) -> Dispatcher {
        var machine = dispatcher(slots: slots)
        _ = machine.lookForWork(start)
        _ = machine.claimed(leases.map { ($0, timeout) }, start)
        return machine
    }

    /// The reason of the one failure that the actions carry out.
    func failure(in actions: [Dispatcher.Action]) -> FailureReason? {
        guard actions.count == 1, case .settle(_, .fail(let reason, _)) = actions[0] else { return nil }
        return reason
    }

    @Test("claims as many jobs as slots are free, one claim at a time")
    func claims() {
        var machine = dispatcher(slots: 3)
        #expect(machine.lookForWork(start) == [.claim(3)])
        #expect(machine.lookForWork(start) == [])
        // The hint that came during the claim is not lost.
        #expect(machine.claimed([(one, nil)], start) == [.start(one), .claim(2)])
        #expect(machine.claimed([(two, nil)], start) == [.start(two)])
        #expect(machine.lookForWork(start) == [.claim(1)])
    }

    @Test("a child's success is published and then its slot looks for work")
    func success() {
        var machine = working(one)
        #expect(machine.childEnded(one, .succeeded(done), at(1)) == [.settle(one, .publish(done))])
        #expect(machine.mayPublish(one, at(1)))
        #expect(machine.settled(one, at(1)) == [.claim(2)])
        #expect(machine.running == 0)
    }

    @Test("a completion may claim the next job, which gets the slot at once")
    func succession() {
        var machine = working(one, slots: 1)
        #expect(!machine.mayClaimNext(after: one, at(1)))
        _ = machine.childEnded(one, .succeeded(done), at(1))
        #expect(machine.mayClaimNext(after: one, at(1)))
        #expect(machine.claimedNext(after: one, (two, .seconds(5)), at(1)) == [.start(two)])
        #expect(machine.running == 1)
        // Handed over once; and the slot is not free while the folders of its last job are put in order.
        #expect(!machine.mayClaimNext(after: one, at(1)))
        #expect(machine.lookForWork(at(1)) == [])
        #expect(machine.leaseLost(one) == [])
        #expect(machine.settled(one, at(1)) == [])
        #expect(machine.tick(at(6)) == [.stop(two)])
        #expect(machine.childEnded(two, .preempted, at(6)).count == 1)
        #expect(machine.settled(two, at(6)) == [.claim(1)])
    }

    @Test("no completion claims for a daemon that drains, is blocked or is past its fence")
    func noSuccession() {
        var machine = working(one, two)
        _ = machine.childEnded(one, .succeeded(done), at(1))
        #expect(!machine.mayClaimNext(after: one, at(20)))
        _ = machine.setBlocked(true, at(1))
        #expect(!machine.mayClaimNext(after: one, at(1)))
        _ = machine.setBlocked(false, at(1))
        #expect(machine.mayClaimNext(after: one, at(1)))
        _ = machine.drain()
        #expect(!machine.mayClaimNext(after: one, at(1)))
    }

    @Test("what a completion claimed goes back if the daemon began to drain meanwhile")
    func successionIntoDrain() {
        var machine = working(one, slots: 1)
        _ = machine.childEnded(one, .succeeded(done), at(1))
        #expect(machine.drain() == [])
        #expect(machine.claimedNext(after: one, (two, nil), at(1)) == [.giveBack(two)])
        #expect(machine.hasten() == [])
        // The daemon does not end before the folders are in order.
        #expect(machine.settled(one, at(1)) == [.finish])
    }

    @Test(
        "an end nobody asked for is charged for what it was",
        arguments: [
            (ChildVerdict.failed(.badInput("x")), FailureReason.badInput),
            (.failed(RunFailure(.diskFull, "x")), .diskFull), (.failed(RunFailure(.error, "x")), .error),
            (.crashed("x"), .workerCrash), (.preempted, .error),
        ])
    func failures(verdict: ChildVerdict, reason: FailureReason) {
        var machine = working(one)
        #expect(failure(in: machine.childEnded(one, verdict, at(1))) == reason)
    }

    @Test("a job whose spool is away goes back uncharged, unless its cancel was asked for")
    func spoolAway() {
        var machine = working(one, two)
        _ = machine.cancelRequested(two.job)
        #expect(machine.childEnded(one, .spoolGone, at(1)) == [.settle(one, .releaseForSpool)])
        #expect(machine.childEnded(two, .spoolGone, at(1)) == [.settle(two, .cancel)])
    }

    @Test("a drain during a claim gives back what the claim brings")
    func drainDuringClaim() {
        var machine = dispatcher()
        // 1. A claim is under way. 2. SIGTERM. 3. The claim returns a job.
        _ = machine.lookForWork(start)
        #expect(machine.drain() == [])
        #expect(machine.claimed([(one, nil)], at(1)) == [.giveBack(one), .finish])
    }

    @Test("a drain during a claim that fails ends the daemon")
    func drainDuringFailedClaim() {
        var machine = dispatcher()
        _ = machine.lookForWork(start)
        _ = machine.drain()
        #expect(machine.claimFailed(at(1)) == [.finish])
    }

    @Test("a drain stops the children, releases their jobs and then finishes")
    func drain() {
        var machine = working(one, two)
        #expect(machine.drain() == [.stop(one), .stop(two)])
        #expect(machine.lookForWork(at(1)) == [])
        #expect(machine.childEnded(one, .preempted, at(1)) == [.settle(one, .release)])
        #expect(machine.settled(one, at(1)) == [])
        // Killed after the grace: not its fault either.
        #expect(machine.childEnded(two, .crashed("signal 9"), at(2)) == [.settle(two, .release)])
        #expect(machine.settled(two, at(2)) == [.finish])
    }

    @Test("an idle daemon drains at once")
    func idleDrain() {
        var machine = dispatcher()
        #expect(machine.drain() == [.finish])
        #expect(machine.drain() == [])
    }

    @Test("a second SIGTERM kills what still runs")
    func hasten() {
        var machine = working(one, two)
        _ = machine.drain()
        _ = machine.childEnded(one, .preempted, at(1))
        #expect(machine.hasten() == [.kill(two)])
    }

    @Test("a cancel stops the child once and ends in a cancelled job")
    func cancel() {
        var machine = working(one, two)
        #expect(machine.cancelRequested(one.job) == [.stop(one)])
        #expect(machine.cancelRequested(one.job) == [])
        #expect(machine.childEnded(one, .preempted, at(1)) == [.settle(one, .cancel)])
    }

    @Test("a cancel that comes during a drain wins over it")
    func cancelDuringDrain() {
        var machine = working(one)
        _ = machine.drain()
        #expect(machine.cancelRequested(one.job) == [])
        #expect(machine.childEnded(one, .preempted, at(1)) == [.settle(one, .cancel)])
    }

    @Test("a drain that comes after a cancel does not turn it into a release")
    func drainAfterCancel() {
        var machine = working(one)
        _ = machine.cancelRequested(one.job)
        #expect(machine.drain() == [])
        #expect(machine.childEnded(one, .preempted, at(1)) == [.settle(one, .cancel)])
    }

    @Test("a child that finishes while it is being stopped has finished")
    func finishedInTime() {
        var machine = working(one)
        _ = machine.cancelRequested(one.job)
        #expect(machine.childEnded(one, .succeeded(done), at(1)) == [.settle(one, .publish(done))])
    }

    @Test("a cancel that comes while the result is being published is too late")
    func cancelDuringPublication() {
        var machine = working(one)
        _ = machine.childEnded(one, .succeeded(done), at(1))
        #expect(machine.cancelRequested(one.job) == [])
        #expect(machine.mayPublish(one, at(1)))
    }

    @Test("a job past its time limit is stopped and fails with the reason timeout")
    func timeout() {
        var machine = working(one, timeout: .seconds(10))
        #expect(machine.tick(at(9.9)) == [])
        #expect(machine.tick(at(10)) == [.stop(one)])
        #expect(machine.tick(at(11)) == [])
        #expect(failure(in: machine.childEnded(one, .preempted, at(12))) == .timeout)
    }

    @Test("past the fence children are killed, nothing is published and nothing claimed")
    func fence() {
        var machine = working(one)
        #expect(machine.tick(at(19.9)) == [])
        #expect(machine.tick(at(20)) == [.kill(one)])
        #expect(machine.lookForWork(at(20)) == [])
        #expect(machine.childEnded(one, .crashed("signal 9"), at(21)) == [.settle(one, .abandon)])
        #expect(machine.settled(one, at(21)) == [])
    }

    @Test("the fence counts from the sending of the last answered beat, not from its answer")
    func fenceFromSend() {
        var machine = working(one)
        _ = machine.heartbeatAnswered(sent: at(5), at(9))
        #expect(machine.tick(at(24.9)) == [])
        #expect(machine.tick(at(25)) == [.kill(one)])
    }

    @Test("a daemon that wakes up past its fence publishes nothing, even before any timer ran")
    func zombie() {
        var machine = working(one)
        // 1. SIGSTOP at 1 s. 2. The child ends. 3. SIGCONT at 100 s, and the child's end is the first thing seen.
        #expect(machine.childEnded(one, .succeeded(done), at(100)) == [.settle(one, .abandon)])
        #expect(!machine.mayPublish(one, at(100)))
    }

    @Test("a daemon stopped between a child's end and the publication publishes nothing")
    func zombieInPublication() {
        var machine = working(one)
        #expect(machine.childEnded(one, .succeeded(done), at(1)) == [.settle(one, .publish(done))])
        #expect(!machine.mayPublish(one, at(100)))
    }

    @Test("a lease given up at the fence goes back to the queue when the database answers again")
    func owed() {
        var machine = working(one)
        _ = machine.tick(at(20))
        _ = machine.childEnded(one, .crashed("signal 9"), at(21))
        _ = machine.settled(one, at(21))
        #expect(machine.heartbeatAnswered(sent: at(25), at(25.1)) == [.giveBack(one), .claim(2)])
        #expect(machine.heartbeatAnswered(sent: at(30), at(30.1)) == [])
    }

    @Test("an answer that arrives after the fence does not bring its leases back to life")
    func lateAnswer() {
        var machine = working(one)
        // 1. The beat sent at 19 s is answered at 21 s, before any timer noticed the fence.
        #expect(machine.heartbeatAnswered(sent: at(19), at(21)).first == .kill(one))
        #expect(machine.childEnded(one, .succeeded(done), at(21.5)) == [.settle(one, .abandon)])
        _ = machine.settled(one, at(21.6))
        // 2. It is still ours in the database, so it is given back.
        #expect(machine.heartbeatAnswered(sent: at(24), at(24.1)).first == .giveBack(one))
    }

    @Test("a lease that somebody else has is abandoned and never given back")
    func leaseLost() {
        var machine = working(one)
        #expect(machine.leaseLost(one) == [.kill(one)])
        #expect(machine.leaseLost(one) == [])
        #expect(machine.childEnded(one, .succeeded(done), at(1)) == [.settle(one, .abandon)])
        #expect(machine.settled(one, at(1)) == [.claim(2)])
        _ = machine.claimed([], at(1))
        #expect(machine.heartbeatAnswered(sent: at(5), at(5)) == [.claim(2)])
    }

    @Test("a claim answered past the fence starts nothing")
    func claimPastFence() {
        var machine = dispatcher()
        _ = machine.lookForWork(start)
        #expect(machine.claimed([(one, nil)], at(30)) == [.giveBack(one)])
    }

    @Test("the same job claimed again under another token is another attempt")
    func tokensDiffer() {
        let again = Lease(job: one.job, token: LeaseToken(200))
        var machine = working(one, again)
        _ = machine.leaseLost(one)
        #expect(machine.childEnded(again, .succeeded(done), at(1)) == [.settle(again, .publish(done))])
        #expect(machine.childEnded(one, .succeeded(done), at(1)) == [.settle(one, .abandon)])
    }

    @Test("the end of a child is settled once")
    func settledOnce() {
        var machine = working(one)
        _ = machine.childEnded(one, .succeeded(done), at(1))
        #expect(machine.childEnded(one, .succeeded(done), at(1)) == [])
        _ = machine.settled(one, at(2))
        #expect(machine.settled(one, at(2)) == [])
    }

    @Test("low disk space stops claims but no child")
    func blocked() {
        var machine = working(one)
        #expect(machine.setBlocked(true, at(1)) == [])
        #expect(machine.lookForWork(at(1)) == [])
        #expect(machine.childEnded(one, .succeeded(done), at(2)) == [.settle(one, .publish(done))])
        _ = machine.settled(one, at(2))
        #expect(machine.setBlocked(false, at(3)) == [.claim(2)])
    }
}
