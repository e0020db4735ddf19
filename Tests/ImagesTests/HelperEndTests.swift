import Foundation
import Glibc
import Support
import TestSupport
import Testing

@testable import Images

@Suite("The end of a decode helper")
struct HelperEndTests {
    @Test("A helper ends with the thread that started it, though its socket stays open")
    func orphan() async throws {
        let memory = SharedMemory.make(count: 1 << 16)
        let ends = try #require(HelperSocket.pair())
        defer { close(ends.ours) }
        let pid: Int32 = try await withCheckedThrowingContinuation { continuation in
            Thread { continuation.resume(with: Result { try Self.startAndAsk(ends, memory) }) }.start()
        }
        var status: Int32 = 0
        let limit = ContinuousClock.now + .seconds(20)
        while waitpid(pid, &status, WNOHANG) == 0 {
            if ContinuousClock.now > limit {
                Issue.record("the helper is still there")
                kill(pid, SIGKILL)
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(status & 0x7F == SIGKILL)
    }

    /// Returns once the helper has answered, and so has begun to look after its starter.
    private static func startAndAsk(_ ends: (ours: Int32, theirs: Int32), _ memory: SharedMemory) throws -> Int32 {
        defer { close(ends.theirs) }
        let pid = try HelperProcess.start(
            BuiltProgram.path, arguments: ["decode-helper"],
            descriptors: [DecodeHelperProgram.socket: ends.theirs, DecodeHelperProgram.memory: memory.descriptor])
        let settings = SampleSettings(preprocessing: .photographs(pixels: 32), decoding: DecodingOptions())
        let setup = try JSONEncoder().encode(HelperSetup(settings: settings, memoryBytes: memory.count))
        let request = SampleRequest(record: 0, epoch: 0, offset: 0, path: RawPath("/nowhere"))
        var waited = pollfd(fd: ends.ours, events: Int16(POLLIN), revents: 0)
        guard HelperSocket.send(Array(setup), to: ends.ours), HelperSocket.send(request.bytes, to: ends.ours),
            poll(&waited, 1, 20_000) == 1, waited.revents == Int16(POLLIN)
        else { throw SystemError("poll", on: "a helper's socket") }
        return pid
    }
}
