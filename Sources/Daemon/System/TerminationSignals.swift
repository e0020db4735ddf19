import Logging
import ServiceLifecycle
import UnixSignals

/// SIGTERM and SIGINT: the first asks for a drain, each further one for haste.
struct TerminationSignals: Service {
    let first: @Sendable () async -> Void
    let further: @Sendable () -> Void
    let logger: Logger

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        // First in the group's order, so last to be shut down: a second signal during the drain is still heard.
        var count = 0
        for await signal in signals.cancelOnGracefulShutdown() {
            count += 1
            if count == 1 {
                logger.info("asked to end", metadata: ["signal": "\(signal)"])
                await first()
            } else {
                logger.warning("asked to end again: children are killed", metadata: ["signal": "\(signal)"])
                further()
            }
        }
    }
}
