internal import Foundation
internal import Glibc
internal import Support
internal import Synchronization

/// The program that takes archives apart and its arguments; it must call `UnpackHelperProgram.run`. And how long it may
/// take.
public struct UnpackIsolation: Sendable, Equatable {
    public var program: String
    public var arguments: [String]
    /// A helper that is not done after so long is killed.
    public var patience: Duration

    /// 64 GiB, which is what an archive may unpack to by default, take five hours at 4 MB/s, and the helper bounds its
    /// processor time itself. What takes longer hangs in its file system.
    public static let usualPatience = Duration.seconds(6 * 3600)

    public init(program: String, arguments: [String], patience: Duration = UnpackIsolation.usualPatience) {
        self.program = program
        self.arguments = arguments
        self.patience = patience
    }

    /// This very program, also when its file was replaced since it began.
    public static let ownProgram = UnpackIsolation(program: "/proc/self/exe", arguments: ["unpack-helper"])
}

/// The intake's side: has one archive taken apart by a helper process and waits for it. When the task is cancelled, or
/// the helper takes too long, it is killed.
struct Unpacker: Sendable {
    let isolation: UnpackIsolation
    let limits: ArchiveLimits

    private static let longestAnswer = 1 << 16

    /// What lies in `folder/tree` afterwards is whole only after `.unpacked`. Blocks the executor that the task prefers.
    func unpack(archive: Int32, into folder: Int32) async -> UnpackOutcome {
        let process = Mutex<(pid: pid_t?, isCancelled: Bool)>((nil, false))
        return await withTaskCancellationHandler {
            run(archive, folder) { pid in
                process.withLock { state in
                    state.pid = pid
                    if let pid, state.isCancelled { kill(pid, SIGKILL) }
                }
            }
        } onCancel: {
            process.withLock { state in
                state.isCancelled = true
                if let pid = state.pid { kill(pid, SIGKILL) }
            }
        }
    }

    /// `running` is told the helper's number, and `nil` before it is reaped.
    private func run(_ archive: Int32, _ folder: Int32, running: (pid_t?) -> Void) -> UnpackOutcome {
        let reader: Int32
        let pid: pid_t
        do throws(SystemError) {
            let pipe = try SpawnPipe(for: "the unpack-helper's answer")
            let writer = pipe.takeWriteEnd()
            defer { close(writer) }
            pid = try HelperProcess.start(
                isolation.program, arguments: isolation.arguments + limits.arguments,
                descriptors: [
                    STDOUT_FILENO: writer, UnpackHelperProgram.archive: archive, UnpackHelperProgram.folder: folder,
                ])
            reader = pipe.takeReadEnd()
        } catch {
            return .failed("\(error)")
        }
        defer { close(reader) }
        running(pid)
        let answer = answer(from: reader)
        // It has ended, which this does not change; or it has said more than any answer, or nothing for too long, or
        // closed the pipe and goes on.
        kill(pid, SIGKILL)
        // Reaped only after nobody can send it a signal any more: its number may be somebody else's then.
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, Int32(WEXITED | WNOWAIT)) < 0, errno == EINTR {}
        running(nil)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        guard let answer else {
            return .failed("the helper that unpacks archives was killed: it was not done after \(isolation.patience)")
        }
        if let outcome = try? JSONDecoder().decode(UnpackOutcome.self, from: Data(answer)) { return outcome }
        let signal = status & 0x7F
        switch signal {
        case 0: return .failed("the helper that unpacks archives ended with status \(status >> 8 & 0xFF)")
        case SIGKILL: return .failed("the helper that unpacks archives was killed")
        default:
            let refusal = Refusal.damagedArchive(
                "the program that reads it crashed (\(String(cString: strsignal(signal))))")
            return .refused(reason: refusal.reason, message: refusal.message, wanted: refusal.wanted)
        }
    }

    /// What the helper says until its end of the pipe closes, or more than any answer; nil when that takes too long.
    private func answer(from reader: Int32) -> [UInt8]? {
        // Not the clock that goes on while the machine sleeps.
        let deadline = SuspendingClock.now + isolation.patience
        var answer: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while answer.count <= Self.longestAnswer {
            let left = SuspendingClock.now.duration(to: deadline)
            if left <= .zero { return nil }
            var waited = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
            // Up to a millisecond late rather than early, which would go round and round.
            let ready = poll(&waited, 1, Int32(clamping: Int64((left / .milliseconds(1)).rounded(.up))))
            if ready == 0 || (ready < 0 && errno == EINTR) { continue }
            let count = ready < 0 ? -1 : read(reader, &block, block.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            answer += block[..<count]
        }
        return answer
    }
}
