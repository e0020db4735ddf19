import Logging
import Synchronization
import UnixSignals

/// SIGTERM, SIGINT and SIGHUP (a terminal that was closed), trapped from the daemon's first step to its last. While it starts, the first one ends the start; in
/// service the first asks for a drain, each further one for haste.
final class TerminationSignals: Sendable {
    struct Handler: Sendable {
        let first: @Sendable () async -> Void
        let further: @Sendable () -> Void
    }

    private struct State {
        var handler: Handler
        var count = 0
    }

    private let state: Mutex<State>
    private let logger: Logger

    /// - Parameter handler: for as long as no other one was given.
    init(_ handler: Handler, logger: Logger) {
        state = Mutex(State(handler: handler))
        self.logger = logger
    }

    /// From now on signals go to `handler`. Throws `CancellationError` when there was one before.
    func hand(to handler: Handler) throws {
        try state.withLock { state in
            if state.count > 0 { throw CancellationError() }
            state.handler = handler
        }
    }

    /// Listens while `body` runs.
    func during(_ body: () async throws -> Void) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let listening = Task {
            for await signal in signals { await take(signal) }
        }
        defer { listening.cancel() }
        try await body()
    }

    private func take(_ signal: UnixSignal) async {
        let (handler, count) = state.withLock { state in
            state.count += 1
            return (state.handler, state.count)
        }
        if count == 1 {
            logger.info("asked to end", metadata: ["signal": "\(signal)"])
            await handler.first()
        } else {
            logger.warning("asked to end again: children are killed", metadata: ["signal": "\(signal)"])
            handler.further()
        }
    }
}
