import CProcess
import Foundation
import Glibc
import Logging
import Runs

/// Follows one running child on a thread of its own, with poll(2) over its pipes and its pidfd (pidfd_open(2)).
///
/// Owns `input` and `output` and closes both at the end. Neither waits for the other: a child that doesn't read, prints
/// without end, closes its output early or leaves grandchildren with the pipe open is followed to its own end all the same.
struct ChildWatch: Sendable {
    struct Report: Sendable {
        var result: RunResult?
        var failure: RunFailure?
        var garbageLines = 0
        var cpuTime = Duration.zero
        var peakMemoryBytes: Int64 = 0
        var memoryExcess: String?
    }

    var pid: pid_t
    var processDescriptor: Int32
    var input: Int32
    var output: Int32
    /// Written to the child first.
    var greeting: [UInt8]
    var grace: Duration
    var memory: MemoryWatch
    var logger: Logger
    var event: @Sendable (RunEvent) -> Void

    private static let garbageSamples = 5

    func follow() async -> Report {
        await withCheckedContinuation { continuation in
            let thread = Thread {
                continuation.resume(returning: watch())
            }
            thread.name = "child \(pid)"
            thread.start()
        }
    }

    private func watch() -> Report {
        var reader = EventReader()
        var samples = 0
        let garbage = { (line: String) in
            samples += 1
            if samples <= Self.garbageSamples {
                logger.warning("the child printed something that is no event", metadata: ["line": "\(line)"])
            }
        }
        for descriptor in [input, output] {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        }
        var unsent = greeting[...]
        var outputOpen = true
        var killAt: ContinuousClock.Instant?
        var excess: String?
        var buffer = [UInt8](repeating: 0, count: 1 << 16)

        while true {
            var polled = [
                pollfd(fd: processDescriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: outputOpen ? output : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: unsent.isEmpty ? -1 : input, events: Int16(POLLOUT), revents: 0),
            ]
            var patience: Int32 = processDescriptor < 0 ? 20 : killAt == nil ? -1 : 100
            if memory.limit != nil { patience = MemoryWatch.interval }
            if poll(&polled, nfds_t(polled.count), patience) < 0 && errno != EINTR && errno != EAGAIN { break }
            // Read first: whatever the child said before it ended counts.
            if polled[1].revents != 0 {
                outputOpen = read(&buffer, &reader, garbage)
                if !outputOpen { killAt = ContinuousClock.now + grace }
            }
            if polled[2].revents != 0 { send(&unsent) }
            if polled[0].revents != 0 || (processDescriptor < 0 && hasEnded) {
                if outputOpen { while read(&buffer, &reader, garbage, once: true) {} }
                break
            }
            if excess == nil, let sentence = memory.excess() {
                excess = sentence
                kill(-pid, SIGKILL)
            }
            if let deadline = killAt, ContinuousClock.now >= deadline {
                logger.warning("the child closed its output but did not end: it is killed")
                kill(-pid, SIGKILL)
                killAt = nil
            }
        }
        reader.finish(event: event, garbage: garbage)
        close(input)
        close(output)
        var report = Report(result: reader.result, failure: reader.failure, garbageLines: reader.garbageLines)
        measure(&report)
        report.memoryExcess = excess ?? memory.killingByKernel()
        return report
    }

    private var hasEnded: Bool {
        var information = siginfo_t()
        return waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT | WNOHANG) != 0 || information.si_signo != 0
    }

    /// Reads what is there. False at the end of the stream, and with `once` also when nothing is there.
    private func read(
        _ buffer: inout [UInt8], _ reader: inout EventReader, _ garbage: (String) -> Void, once: Bool = false
    ) -> Bool {
        let count = Glibc.read(output, &buffer, buffer.count)
        if count > 0 {
            buffer.withUnsafeBytes { bytes in
                reader.feed(UnsafeRawBufferPointer(rebasing: bytes[..<count]), event: event, garbage: garbage)
            }
            return true
        }
        if count == 0 { return false }
        if errno == EINTR { return true }
        return errno == EAGAIN && !once
    }

    private func send(_ unsent: inout ArraySlice<UInt8>) {
        let written = unsent.withUnsafeBytes { Glibc.write(input, $0.baseAddress, $0.count) }
        if written > 0 {
            unsent = unsent.dropFirst(written)
        } else if written < 0 && errno != EAGAIN && errno != EINTR {
            // The child has closed its input; its end will tell why.
            unsent = []
        }
    }

    /// wait4(2) would reap the child, which is the library's business; waitid(2) can look without reaping.
    private func measure(_ report: inout Report) {
        var usage = rusage()
        guard cprocess_peek_usage(pid, &usage) == 0 else { return }
        let time = { (value: timeval) in Duration.seconds(Int64(value.tv_sec)) + .microseconds(Int64(value.tv_usec)) }
        report.cpuTime = time(usage.ru_utime) + time(usage.ru_stime)
        report.peakMemoryBytes = Int64(usage.ru_maxrss) * 1024
    }
}
