import Foundation
import Glibc
import Support
import Testing

@Suite struct HelperProcessTests {
    private func run(_ script: String, environment: [String] = [], descriptors: (Int32) -> [Int32: Int32]) throws
        -> (status: Int32, output: String)
    {
        let pipe = try SpawnPipe(for: "a test")
        let (reader, writer) = (pipe.takeReadEnd(), pipe.takeWriteEnd())
        let pid = try HelperProcess.start(
            "/bin/sh", arguments: ["-c", script], environment: environment, descriptors: descriptors(writer))
        close(writer)
        let output = try FileHandle(fileDescriptor: reader, closeOnDealloc: true).readToEnd() ?? Data()
        var status: Int32 = 0
        #expect(waitpid(pid, &status, 0) == pid)
        return (status, String(decoding: output, as: UTF8.self))
    }

    @Test func `a helper finds what it is given under the numbers it expects, also when they change places`() throws {
        let files = try ["one", "two"].map { text in
            let pipe = try SpawnPipe(for: "a test")
            let writer = pipe.takeWriteEnd()
            #expect(write(writer, text, text.utf8.count) == text.utf8.count)
            close(writer)
            return pipe.takeReadEnd()
        }
        defer { for file in files { close(file) } }
        let (first, second) = (min(files[0], files[1]), max(files[0], files[1]))
        // Each under the other's number.
        let script = "cat /dev/fd/\(second); cat /dev/fd/\(first)"
        let (status, output) = try run(script, environment: ["PATH=/usr/bin:/bin"]) {
            [STDOUT_FILENO: $0, second: first, first: second]
        }
        #expect(status == 0)
        #expect(output == (first == files[0] ? "onetwo" : "twoone"))
    }

    @Test func `a helper has nothing else of this process's: no descriptors, no environment`() throws {
        let leak = open("/dev/null", O_RDONLY)
        defer { close(leak) }
        let (status, output) = try run(
            "ls /proc/self/fd | tr '\\n' ' '; readlink /proc/self/fd/0; echo $HOME $WORD",
            environment: ["PATH=/usr/bin:/bin", "WORD=given"]
        ) { [STDOUT_FILENO: $0] }
        #expect(status == 0)
        // 3 is the folder that ls reads.
        #expect(output == "0 1 2 3 /dev/null\ngiven\n")
    }

    @Test func `requests to stop, which a terminal sends to all processes, do not end a helper`() throws {
        let (status, output) = try run("for s in HUP INT QUIT TERM; do kill -$s $$; done; echo alive") {
            [STDOUT_FILENO: $0]
        }
        #expect(status == 0 && output == "alive\n")
    }

    @Test func `numbers between those that are given are closed`() throws {
        let leak = fcntl(STDERR_FILENO, F_DUPFD, 5)
        defer { close(leak) }
        let (status, output) = try run("ls /proc/self/fd | tr '\n' ' '", environment: ["PATH=/usr/bin:/bin"]) {
            [STDOUT_FILENO: $0, leak + 1: STDERR_FILENO]
        }
        // 3 is the folder that ls reads, and the shell may keep one above 9 of its own.
        #expect(status == 0 && !output.split(separator: " ").contains("\(leak)") && output.contains("\(leak + 1)"))
    }

    @Test func `a program that can't be started is named`() {
        #expect {
            try HelperProcess.start("/nowhere/helper", arguments: [], environment: [], descriptors: [:])
        } throws: { error in
            "\(error)" == "posix_spawn '/nowhere/helper': No such file or directory"
        }
    }
}
