import Glibc
import Synchronization

/// A handle on a child process group that may not have started yet or may have ended: signals go out only while the
/// process exists and is not reaped, so a reused process number is never hit.
public final class ChildControl: Sendable {
    private enum State {
        case waiting
        case running(pid_t)
        /// Asked to stop before it started.
        case refused
        case over
    }

    private let state = Mutex(State.waiting)

    public init() {}

    /// The process number while the child runs.
    public var processIdentifier: Int32? {
        state.withLock { if case .running(let pid) = $0 { pid } else { nil } }
    }

    /// Asks the child to end: SIGTERM to its process group, and SIGKILL after `grace`.
    public func stop(grace: Duration) {
        guard signalGroup(SIGTERM) else { return }
        Task { [weak self] in
            try? await Task.sleep(for: grace)
            self?.kill()
        }
    }

    /// Ends the whole process group at once.
    public func kill() {
        _ = signalGroup(SIGKILL)
    }

    private func signalGroup(_ signal: Int32) -> Bool {
        state.withLock { state in
            switch state {
            case .waiting:
                state = .refused
                return false
            case .running(let pid):
                // The group's number is its leader's; the leader is not reaped while the state says running.
                _ = Glibc.kill(-pid, signal)
                return true
            case .refused, .over:
                return false
            }
        }
    }

    /// Whether the child may be started at all.
    var mayStart: Bool {
        state.withLock { if case .waiting = $0 { true } else { false } }
    }

    /// Notes the started child; one that was asked to stop in the meantime is told now.
    func started(_ pid: pid_t) {
        state.withLock { state in
            if case .refused = state { _ = Glibc.kill(-pid, SIGTERM) }
            state = .running(pid)
        }
    }

    /// To be called before the child is reaped: what is left of its group is killed.
    func ended() {
        state.withLock { state in
            if case .running(let pid) = state { _ = Glibc.kill(-pid, SIGKILL) }
            state = .over
        }
    }
}
