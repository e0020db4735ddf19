import Dispatch
import Glibc

/// SIGINT, SIGTERM and SIGHUP as a request: they call `handler` instead of ending the process, for as long as the
/// object lives. A second SIGINT ends it at once: whoever presses Ctrl-C again does not want to wait.
final class TerminationRequest {
    private let sources: [any DispatchSourceSignal]

    init(_ handler: @escaping @Sendable () -> Void) {
        sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            // A source's handler runs once at a time.
            nonisolated(unsafe) var isRepeated = false
            source.setEventHandler {
                if number == SIGINT, isRepeated { _exit(128 + SIGINT) }
                isRepeated = true
                handler()
            }
            source.resume()
            return source
        }
    }

    deinit {
        for source in sources { source.cancel() }
    }
}
