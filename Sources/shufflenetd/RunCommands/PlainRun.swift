import ArgumentParser
import Foundation
import Images
import Runs

/// Carries out a run for a person at a terminal: events to the console, signals as a request to stop,
/// failures as an exit status.
enum PlainRun {
    static func perform(threads: Int, _ run: @escaping @Sendable (RunContext) throws -> RunResult) async throws {
        let console = Console()
        let stop = StopFlag()
        let request = TerminationRequest {
            stop.raise()
            console.show(.log(line: "stopping after this step; Ctrl-C once more quits at once"))
        }
        defer { withExtendedLifetime(request) {} }

        let context = RunContext(threads: threads, stop: stop, isolation: .ownProgram) {
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
