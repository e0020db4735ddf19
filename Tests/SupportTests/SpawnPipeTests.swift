import Glibc
import Support
import Testing

@Suite struct SpawnPipeTests {
    @Test func `both ends are closed on exec, and what is written arrives`() throws {
        let pipe = try SpawnPipe(for: "a test")
        let reader = pipe.takeReadEnd()
        let writer = pipe.takeWriteEnd()
        defer { close(reader) }
        for end in [reader, writer] { #expect(fcntl(end, F_GETFD) & FD_CLOEXEC != 0) }
        #expect(write(writer, "ab", 2) == 2)
        close(writer)
        var bytes = [UInt8](repeating: 0, count: 8)
        #expect(read(reader, &bytes, 8) == 2 && bytes.prefix(2) == [97, 98])
        #expect(read(reader, &bytes, 8) == 0)
    }

    @Test func `ends that nobody took go with the pipe`() throws {
        var pipe: SpawnPipe? = try SpawnPipe(for: "a test")
        let reader = try #require(pipe?.takeReadEnd())
        defer { close(reader) }
        pipe = nil
        var byte: UInt8 = 0
        #expect(read(reader, &byte, 1) == 0)
    }
}
