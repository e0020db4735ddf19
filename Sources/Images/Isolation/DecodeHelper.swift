internal import Foundation
internal import Glibc
internal import Support

/// A run's end of one helper process: one request at a time, from one thread, with which the helper ends at the latest.
/// A helper that dies is replaced.
final class DecodeHelper {
    private let isolation: DecodeIsolation
    private let settings: SampleSettings
    private let memory: SharedMemory
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: SampleRequest.limit, alignment: 16)
    private var process: (pid: pid_t, socket: Int32)?

    /// A helper without an answer for so many milliseconds, in which it cannot have used up its processor time even after
    /// waiting for others' large pictures, hangs in a system call (a dead network file system).
    private let patience: Int32

    /// So many milliseconds an idle helper may take to end after its socket did.
    private static let grace: Int32 = 1000

    init(_ isolation: DecodeIsolation, _ settings: SampleSettings, _ memory: SharedMemory) {
        self.isolation = isolation
        self.settings = settings
        self.memory = memory
        patience = Int32(clamping: Int(max(600, 20 * settings.decoding.maximumSeconds) * 1000))
    }

    deinit {
        if let process {
            // An idle helper ends by itself when it finds the end of its socket, and then ours hangs up. One that was
            // taken over may do otherwise.
            shutdown(process.socket, Int32(SHUT_WR))
            var ended = pollfd(fd: process.socket, events: 0, revents: 0)
            while poll(&ended, 1, Self.grace) < 0, errno == EINTR {}
            _ = Self.end(process.pid, process.socket)
        }
        buffer.deallocate()
    }

    /// Has a file decoded into `colours`, which lie in the shared memory.
    func read(_ path: RawPath, record: Int, epoch: Int, into colours: UnsafeMutablePointer<UInt8>) -> SlotOutcome {
        let request = SampleRequest(record: record, epoch: epoch, offset: colours - memory.bytes, path: path)
        let bytes = request.bytes
        if bytes.count > SampleRequest.limit {
            return SlotOutcome(error: ImageError(.unreadable, "its path is longer than the system can open"))
        }
        var death = ""
        // Twice: the first death may be somebody else's doing (a person with kill(1), the kernel short of memory).
        for _ in 0..<2 {
            if let cause = start() { return SlotOutcome(trouble: DecodersUnavailable(cause: cause)) }
            switch ask(bytes) {
            case .answer(let outcome): return outcome
            case .overtime:
                return SlotOutcome(
                    error: ImageError(
                        .tooLarge,
                        "decoding it took more than the limit of \(settings.decoding.maximumSeconds) s"))
            case .died(let how): death = how
            }
        }
        return SlotOutcome(error: ImageError(.unreadable, "the decoder crashed on this file (\(death))"))
    }

    private enum Reply {
        case answer(SlotOutcome)
        case overtime
        case died(String)
    }

    private func ask(_ request: [UInt8]) -> Reply {
        guard let (pid, socket) = process else { preconditionFailure("a helper was asked before it was started") }
        // Why it is killed, if it is not dead already.
        var fault: String?
        if HelperSocket.send(request, to: socket) {
            var waited = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            var ready = poll(&waited, 1, patience)
            while ready < 0 && errno == EINTR { ready = poll(&waited, 1, patience) }
            if ready == 0 {
                fault = "it gave no answer within \(patience / 1000) s"
            } else if let message = HelperSocket.receive(from: socket, into: buffer) {
                if let outcome = SlotOutcome(message: message) { return .answer(outcome) }
                fault = "it sent \(message.count) bytes that are no answer"
            }
        }
        process = nil
        switch Self.end(pid, socket) {
        case .signal(SIGPROF): return .overtime
        // The kernel's doing when memory is short, unless it was ours.
        case .signal(SIGKILL): return .died(fault ?? "signal 9, Killed: perhaps for want of memory")
        case .signal(let number): return .died("signal \(number), \(String(cString: strsignal(number)))")
        case .status(let status): return .died("exit status \(status)")
        }
    }

    private enum End {
        case signal(Int32)
        case status(Int32)
    }

    /// Ends a helper and reaps it. The signal comes before the wait, since one that was taken over need not be about to
    /// end. What ended a helper before stays its end: its socket hangs up only after that is settled.
    private static func end(_ pid: pid_t, _ socket: Int32) -> End {
        kill(pid, SIGKILL)
        close(socket)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            if errno != EINTR { return .status(-1) }
        }
        let signal = status & 0x7F
        return signal == 0 ? .status(status >> 8 & 0xFF) : .signal(signal)
    }

    /// Starts a helper if none runs; returns what went wrong.
    private func start() -> String? {
        if process != nil { return nil }
        guard let (ours, theirs) = HelperSocket.pair() else { return "socketpair: \(String(cString: strerror(errno)))" }
        defer { close(theirs) }
        do throws(SystemError) {
            let pid = try HelperProcess.start(
                isolation.program, arguments: isolation.arguments,
                descriptors: [DecodeHelperProgram.socket: theirs, DecodeHelperProgram.memory: memory.descriptor])
            process = (pid, ours)
        } catch {
            close(ours)
            return "\(error)"
        }
        let setup = HelperSetup(settings: settings, memoryBytes: memory.count)
        // Whether it arrives shows at the first request.
        if let json = try? JSONEncoder().encode(setup) { _ = HelperSocket.send(Array(json), to: ours) }
        return nil
    }
}
