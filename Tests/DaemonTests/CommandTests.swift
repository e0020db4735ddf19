import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

@testable import Daemon

/// The commands beside a daemon that makes and runs its own PostgreSQL.
@Suite struct CommandTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    /// Runs the real program to its end. Off the cooperative pool, which the waiting would block.
    func run(_ arguments: String...) async throws -> (status: Int32, output: String, complaint: String) {
        let process = Process()
        process.executableURL = URL(filePath: RunningDaemon.program)
        process.arguments = arguments + ["--state", "\(scratch.path)/state"]
        let (output, complaint) = (Foundation.Pipe(), Foundation.Pipe())
        process.standardOutput = output
        process.standardError = complaint
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                do {
                    try process.run()
                    let text = output.fileHandleForReading.readDataToEndOfFile()
                    let errors = complaint.fileHandleForReading.readDataToEndOfFile()
                    process.waitUntilExit()
                    continuation.resume(
                        returning: (
                            process.terminationStatus, String(decoding: text, as: UTF8.self),
                            String(decoding: errors, as: UTF8.self)
                        ))
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    @Test("the version that is printed is the one a daemon registers")
    func version() throws {
        try Tool.shell(
            "test \"$('\(RunningDaemon.program)' --version)\" = '\(DaemonRuntime.version)'", in: scratch.path)
    }

    @Test("a set of instructions that nobody knows is refused in a sentence, and an empty wish is none")
    func instructionSet() throws {
        let check = """
            SHUFFLENETD_INSTRUCTION_SET=nonsense '\(RunningDaemon.program)' --version 2>said || test $? = 64
            grep -q "SHUFFLENETD_INSTRUCTION_SET is 'nonsense'; this machine has portable" said
            SHUFFLENETD_INSTRUCTION_SET= '\(RunningDaemon.program)' --version
            """
        try Tool.shell(check, in: scratch.path)
    }

    @Test("a daemon without a database makes its own, the commands speak to it, and SIGTERM stops both")
    func wholeDay() async throws {
        let state = "\(scratch.path)/state"
        let unreachable = try await run("jobs")
        #expect(unreachable.status == 1)
        #expect(unreachable.complaint.contains("is the daemon running? Start it with: shufflenetd serve"))

        let daemon = Process()
        daemon.executableURL = URL(filePath: RunningDaemon.program)
        daemon.arguments = ["serve", "--state", state]
        try scratch.write("", to: "log")
        daemon.standardError = FileHandle(forWritingAtPath: "\(scratch.path)/log")
        try daemon.run()
        defer { if daemon.isRunning { kill(daemon.processIdentifier, SIGKILL) } }
        #expect(
            await eventually { scratch.read("log")?.contains("ready: workers 1,") == true },
            "\(scratch.read("log") ?? "")")
        #expect(scratch.read("log")?.contains("psql -h") == true)

        let submitted = try await run("submit", "train", "dataset=flowers", "epochs=2", "--wait")
        #expect(submitted.output == "1\n")
        #expect(submitted.status == 1)
        #expect(submitted.complaint.contains("bad_input: there is no folder 'flowers'"))
        let table = try await run("jobs").output
        #expect(table.hasPrefix("ID  KIND"))
        #expect(table.contains("failed"))
        #expect(try await run("jobs", "--json", "--status", "failed").output.contains(#""dataset" : "flowers""#))
        #expect(try await run("jobs", "--json", "--status", "completed").output == "[\n\n]\n")
        #expect(try await run("show", "1").output.contains("available  running"))
        #expect(try await run("logs", "1").output.contains("there is no folder"))
        #expect(try await run("cancel", "1").output == "job 1 had ended before\n")
        #expect(try await run("show", "99").complaint.contains("there is no job 99"))
        let unknown = try await run("submit", "train", "datset=flowers")
        #expect(unknown.status == 1)
        #expect(unknown.complaint.contains("'datset'"))

        #expect(try await run("schedule", "add", "nightly", "0 2 * * *", "train", "dataset=flowers").status == 0)
        #expect(try await run("schedule").output.contains("nightly  0 2 * * *"))
        #expect(try await run("schedule", "pause", "nightly").output == "schedule 'nightly' is paused\n")
        let changed = try await run("schedule", "add", "nightly", "0 3 * * *", "train")
        #expect(changed.output.contains("it is paused, until: shufflenetd schedule resume nightly"), "\(changed)")
        #expect(try await run("schedule", "list").output.contains("paused"))
        #expect(try await run("schedule", "resume", "nightly").output.contains("goes on; it fires next at"))
        #expect(try await run("schedule", "resume", "weekly").complaint.contains("there is no schedule 'weekly'"))
        #expect(try await run("schedule", "add", "bad", "61 * * * *", "train", "dataset=flowers").status == 1)
        #expect(try await run("schedule", "remove", "nightly").status == 0)
        #expect(try await run("schedule", "remove", "nightly").status == 1)
        #expect(try await run("migrate").output == "the schema is up to date\n")

        kill(daemon.processIdentifier, SIGTERM)
        #expect(await eventually { !daemon.isRunning })
        #expect(daemon.terminationStatus == 0)
        #expect(!PrivateCluster(state: state).isRunning)

        // Asked to end while it starts, whatever it is at, it leaves no server behind.
        for delay in stride(from: 0, through: 1000, by: 200) {
            let early = Process()
            early.executableURL = daemon.executableURL
            early.arguments = daemon.arguments
            let log = try scratch.write("", to: "early.log")
            early.standardError = FileHandle(forWritingAtPath: log)
            try early.run()
            try await Task.sleep(for: .milliseconds(delay))
            kill(early.processIdentifier, SIGTERM)
            #expect(await eventually { !early.isRunning })
            // By the signal itself before there was anybody to trap it.
            #expect([0, SIGTERM].contains(early.terminationStatus))
            #expect(
                !PrivateCluster(state: state).isRunning,
                "after \(delay) ms, status \(early.terminationStatus): \(scratch.read("early.log") ?? "")")
        }
    }
}
