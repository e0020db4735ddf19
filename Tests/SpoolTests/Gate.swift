import Dispatch
import Synchronization

/// Holds the first that come to it until it is opened. They are blocked threads.
final class Gate: Sendable {
    struct Stuck: Error {}

    private let opening = DispatchSemaphore(value: 0)
    private let state: Mutex<(toHold: Int, isStuck: Bool)>

    init(holding count: Int) {
        state = Mutex((count, false))
    }

    /// Whether somebody waited longer than any test does: whoever should have opened the gate waited for them.
    var wasStuck: Bool { state.withLock { $0.isStuck } }

    func pass() throws {
        let holds = state.withLock { state in
            defer { state.toHold -= 1 }
            return state.toHold > 0
        }
        if holds, opening.wait(timeout: .now() + .seconds(120)) == .timedOut {
            state.withLock { $0.isStuck = true }
            throw Stuck()
        }
    }

    /// Lets one of them on.
    func open() {
        opening.signal()
    }
}
