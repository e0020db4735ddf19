import Foundation
import Glibc
import Logging
import Runs
import Support
import Synchronization
import Testing

@testable import Daemon

@Suite struct ChildHostTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    /// A host whose child is a shell script that speaks the event protocol.
    func host(
        _ script: String, grace: Duration = .seconds(20), environment: [String: String]? = nil
    ) throws -> ChildHost {
        let path = try scratch.write(script + "\n", to: "child.sh")
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        // By bash, since a file that was just written may not be executed while another test's child, just forked, still
        // has it open.
        return ChildHost(
            program: "/bin/bash", arguments: [path, "run-job"], grace: grace, environment: environment, logger: logger)
    }

    func specification(args: JSONValue = .object([:])) -> JobSpecification {
        JobSpecification(
            job: 7, attempt: 1, kind: .train, args: args, input: nil, work: scratch.path, previous: nil,
            roots: .init(datasets: "/d", models: "/m"), threads: 1)
    }

    @discardableResult
    func run(
        _ host: ChildHost, control: ChildControl = ChildControl(), args: JSONValue = .object([:]),
        event: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> ChildEnd {
        try await host.run(specification(args: args), log: "\(scratch.path)/log", control: control, event: event)
    }

    static let result = #"{"event":"result","result":{"figures":{"top_1":0.5},"files":{},"summary":"done"}}"#

    @Test("a child that reports a result and exits 0 has succeeded, and what it used is known")
    func success() async throws {
        let events = Mutex<[RunEvent]>([])
        let end = try await run(
            try host(
                """
                echo "hello from stderr" >&2
                echo '{"event":"started"}'
                echo '{"event":"progress","fraction":0.5,"message":"half"}'
                echo '\(Self.result)'
                """)
        ) { event in events.withLock { $0.append(event) } }
        #expect(ChildVerdict(end) == .succeeded(RunResult(figures: ["top_1": 0.5], files: [:], summary: "done")))
        #expect(events.withLock { $0.count } == 3)
        #expect(events.withLock { $0.first } == .started)
        #expect(end.peakMemoryBytes > 100_000)
        #expect(scratch.read("log") == "hello from stderr\n")
    }

    @Test("the specification is the first line of the child's input, however long it is")
    func specificationArrives() async throws {
        let long = JSONValue.object(["dataset": .string(String(repeating: "x", count: 300_000))])
        let end = try await run(
            try host("read -r line; echo \"${#line}\" > \(scratch.path)/length; echo '\(Self.result)'"), args: long)
        #expect(end.exit == .exited(0))
        #expect(Int(scratch.read("length")?.dropLast() ?? "") ?? 0 > 300_000)
    }

    @Test("a child has the daemon's environment, and a library of linear algebra that starts no threads of its own")
    func environment() async throws {
        try await run(
            try host("echo \"$PATH $OPENBLAS_NUM_THREADS\" > \(scratch.path)/environment; echo '\(Self.result)'"))
        let path = try #require(ProcessInfo.processInfo.environment["PATH"])
        #expect(scratch.read("environment") == "\(path) 1\n")
    }

    @Test("a child has nothing of the daemon's environment that leads to the database")
    func withheld() async throws {
        let kept = ["PATH": "/usr/bin:/bin", "SHUFFLENETD_INSTRUCTION_SET": "portable", "SHUFFLENETD_STATE": "/s"]
        let withheld = [
            "PGPASSWORD": "secret", "PGPASSFILE": "/secret", "SHUFFLENETD_DATABASE": "postgresql://u:secret@h/d",
            "SHUFFLENETD_LISTEN": "postgresql://u:secret@h/d",
        ]
        try await run(
            try host(
                "cat /proc/$$/environ > \(scratch.path)/environment; echo '\(Self.result)'",
                environment: kept.merging(withheld) { $1 }))
        let found = try #require(scratch.read("environment")).split(separator: "\0").map(String.init)
        #expect(Set(found) == Set(kept.map { "\($0)=\($1)" } + ["OPENBLAS_NUM_THREADS=1"]))
    }

    @Test("a child that never reads its input is no obstacle")
    func deafChild() async throws {
        let long = JSONValue.object(["dataset": .string(String(repeating: "x", count: 300_000))])
        let end = try await run(try host("exec 0<&-; echo '\(Self.result)'"), args: long)
        #expect(end.exit == .exited(0))
    }

    @Test("garbage on the child's output is counted and harms nothing, however much it is")
    func garbage() async throws {
        let end = try await run(
            try host(
                """
                echo 'not an event'
                head -c 3000000 /dev/zero | tr '\\0' 'x'
                echo
                echo '{"event":"unheard of"}'
                printf '\\377\\376\\n'
                printf '%s' '\(Self.result)'
                """))
        #expect(end.garbageLines == 4)
        guard case .succeeded = ChildVerdict(end) else {
            Issue.record("\(end)")
            return
        }
    }

    @Test(
        "the end of a child is judged by status and last word together",
        arguments: [
            ("exit 0", "crashed"), ("kill -9 $$", "crashed"), ("kill -SEGV $$", "crashed"), ("exit 3", "crashed"),
            (#"echo '{"event":"failed","reason":"bad_input","message":"no"}'; exit 65"#, "bad_input"),
            ("exit 65", "bad_input"), ("exit 75", "preempted"),
            (#"echo '{"event":"failed","reason":"error","message":"no"}'; exit 1"#, "error"),
            (#"echo '{"event":"failed","reason":"disk_full","message":"no"}'; exit 1"#, "disk_full"),
            (#"echo '{"event":"failed","reason":"error","message":"no"}'; exit 0"#, "crashed"),
            ("echo '\(ChildHostTests.result)'; exit 1", "crashed"),
            ("echo '\(ChildHostTests.result)'; kill -9 $$", "crashed"),
        ])
    func verdicts(script: String, wanted: String) async throws {
        let found: String =
            switch ChildVerdict(try await run(try host(script))) {
            case .succeeded: "succeeded"
            case .preempted: "preempted"
            case .crashed: "crashed"
            case .outOfMemory: "out_of_memory"
            case .failed(let failure): failure.reason.rawValue
            case .spoolGone: "spool_gone"
            }
        #expect(found == wanted)
    }

    @Test("a child that is asked to stop gets SIGTERM")
    func stop() async throws {
        let control = ChildControl()
        let end = try await run(
            try host("trap 'exit 75' TERM; echo '{\"event\":\"started\"}'; while :; do read -t 1 -r _; done"),
            control: control
        ) { event in if event == .started { control.stop(grace: .seconds(60)) } }
        #expect(ChildVerdict(end) == .preempted)
    }

    @Test("a child that ignores SIGTERM is killed after the grace, with its whole group")
    func stubborn() async throws {
        let control = ChildControl()
        let end = try await run(
            try host(
                """
                trap '' TERM
                sleep 1000 & echo $! > \(scratch.path)/grandchild
                echo '{"event":"started"}'
                while :; do sleep 1; done
                """), control: control
        ) { event in if event == .started { control.stop(grace: .milliseconds(50)) } }
        #expect(end.exit == .signalled(SIGKILL))
        let grandchild = try #require(pid_t(scratch.read("grandchild")?.dropLast() ?? ""))
        #expect(await eventually { !Self.isAlive(grandchild) })
    }

    @Test("a grandchild that keeps the pipe open does not keep the host waiting")
    func orphanHoldsPipe() async throws {
        let end = try await run(
            try host("sleep 1000 & echo $! > \(scratch.path)/grandchild; echo '\(Self.result)'"))
        guard case .succeeded = ChildVerdict(end) else {
            Issue.record("\(end)")
            return
        }
        let grandchild = try #require(pid_t(scratch.read("grandchild")?.dropLast() ?? ""))
        #expect(await eventually { !Self.isAlive(grandchild) })
    }

    @Test("a child that closes its output and goes on is killed after the grace")
    func silent() async throws {
        let end = try await run(try host("exec 1>&-; while :; do sleep 1; done", grace: .milliseconds(50)))
        #expect(end.exit == .signalled(SIGKILL))
    }

    @Test("a job stopped before its child started has no child")
    func stoppedBefore() async throws {
        let control = ChildControl()
        control.stop(grace: .zero)
        await #expect(throws: ChildHost.StartError.self) {
            try await run(try host("touch \(scratch.path)/ran"), control: control)
        }
        #expect(scratch.read("ran") == nil)
    }

    @Test("a program that is not there is an error, not a crash")
    func noProgram() async throws {
        let host = ChildHost(program: "/nowhere/shufflenetd", logger: Logger(label: "test"))
        await #expect(throws: ChildHost.StartError.self) { try await run(host) }
    }

    @Test("no zombie and no descriptor is left")
    func nothingLeft() async throws {
        let before = Self.openPipes()
        let host = try host("echo $$ > \(scratch.path)/pid; echo '\(Self.result)'")
        for _ in 0..<40 {
            try await run(host)
            let pid = try #require(pid_t(scratch.read("pid")?.dropLast() ?? ""))
            #expect(kill(pid, 0) != 0)
        }
        // Other tests of this process start children at the same time; a leak would be one a child at least.
        #expect(await eventually { Self.openPipes() < before + 40 })
    }

    /// What a host holds of a child: pipes and a pidfd. Of sockets and files other tests of this process open hundreds.
    private static func openPipes() -> Int {
        FileTree.names(in: "/proc/self/fd").count { name in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
            return target.map { $0.hasPrefix("pipe:") || $0.contains("pidfd") } ?? false
        }
    }

    private static func isAlive(_ pid: pid_t) -> Bool {
        guard let status = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return false }
        return !String(decoding: status, as: UTF8.self).contains(") Z ")
    }
}
