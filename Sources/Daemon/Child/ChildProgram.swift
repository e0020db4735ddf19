import CProcess
import Foundation
import Glibc
import Images
public import Runs
import Synchronization

/// The child's side of the pipes: the hidden command `run-job`.
public enum ChildProgram {
    /// Runs the job whose specification is the first line of standard input; returns the exit status.
    ///
    /// - Parameter execute: carries the job out; what it throws is reported as the last event.
    public static func run(
        execute: (JobSpecification, RunContext) throws -> RunResult = { try JobRun.execute($0, context: $1) }
    ) -> Int32 {
        // Standard output belongs to the events: whatever else prints in this process goes to the log.
        let events = dup(STDOUT_FILENO)
        dup2(STDERR_FILENO, STDOUT_FILENO)
        signal(SIGPIPE, SIG_IGN)
        let emitter = EventWriter(descriptor: events)
        // A belt beside the braces of `watchControlPipe`. Safe with swift-subprocess, which starts all children from one
        // thread that lasts as long as the daemon; the kernel looks at that thread, not at the process.
        _ = cprocess_set_parent_death_signal(SIGKILL)

        let stop = StopFlag()
        trapTermination(stop)
        guard let line = readLine(strippingNewline: true), let specification = decode(line) else {
            emitter.send(.failed(RunFailure(.error, "the first line of standard input is no job specification")))
            return 1
        }
        watchControlPipe()
        let context = RunContext(threads: specification.threads, stop: stop, isolation: .ownProgram) {
            emitter.send($0)
        }
        do {
            emitter.send(.result(try execute(specification, context)))
            return 0
        } catch let failure as RunFailure {
            emitter.send(.failed(failure))
            return failure.exitStatus
        } catch {
            let failure = RunFailure(.error, "\(error)")
            emitter.send(.failed(failure))
            return failure.exitStatus
        }
    }

    private static func decode(_ line: String) -> JobSpecification? {
        try? JSONDecoder().decode(JobSpecification.self, from: Data(line.utf8))
    }

    /// Turns SIGTERM into a flag. A thread takes the signal with sigwait(3), so nothing runs in a signal handler.
    private static func trapTermination(_ stop: StopFlag) {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let thread = Thread {
            var waited = sigset_t()
            sigemptyset(&waited)
            sigaddset(&waited, SIGTERM)
            sigaddset(&waited, SIGINT)
            var number: Int32 = 0
            while sigwait(&waited, &number) == 0 { stop.raise() }
        }
        thread.name = "signals"
        thread.start()
    }

    /// Ends this process when the daemon's end of the control pipe closes: the daemon is gone, and somebody else may
    /// start this job at any moment.
    private static func watchControlPipe() {
        let thread = Thread {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count == 0 || (count < 0 && errno != EINTR) { _exit(70) }
            }
        }
        thread.name = "control pipe"
        thread.start()
    }
}

/// Writes events as whole lines, from any thread.
private final class EventWriter: Sendable {
    private let descriptor: Mutex<Int32>

    init(descriptor: Int32) {
        self.descriptor = Mutex(descriptor)
    }

    func send(_ event: RunEvent) {
        let line = event.jsonLine + Data("\n".utf8)
        descriptor.withLock { descriptor in
            var rest = line[...]
            while !rest.isEmpty {
                let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                if written > 0 {
                    rest = rest.dropFirst(written)
                } else if errno != EINTR {
                    // Nobody reads any more; the control pipe will say so too.
                    return
                }
            }
        }
    }
}
