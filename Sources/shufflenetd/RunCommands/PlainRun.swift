import ArgumentParser
import Dispatch
import Foundation
import Glibc
import Images
import Runs

/// Carries out a run for a person at a terminal: events to the console, SIGINT and SIGTERM as a request to stop,
/// failures as an exit status.
enum PlainRun {
    static func perform(threads: Int?, _ run: @escaping @Sendable (RunContext) throws -> RunResult) async throws {
        let console = Console()
        let stop = StopFlag()
        let signals = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { stop.raise() }
            source.resume()
            return source
        }
        defer { for source in signals { source.cancel() } }

        let context = RunContext(
            threads: threads ?? ProcessInfo.processInfo.activeProcessorCount, stop: stop, isolation: .ownProgram
        ) {
            console.show($0)
        }
        do {
            console.show(.result(try await onOwnThread { try run(context) }))
        } catch {
            let failure = RunFailure(wrapping: error)
            console.show(.failed(failure))
            throw ExitCode(failure.exitStatus)
        }
    }

    /// Runs compute for minutes without a pause: they get a thread of their own, off the cooperative pool.
    private static func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws
        -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Result(catching: body)) }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }
}
