import Foundation
import Glibc
import JobQueue
import Support
import TestSupport
import Testing

@testable import Daemon
@testable import Spool

/// The real daemon, killed by SIGKILL behind each step of the spool's protocol; then another one goes on.
@Suite(.serialized) struct SpoolCrashTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    /// A job of a folder whose name has "bad" in it fails.
    static let child = """
        read -r specification
        work=$(sed -E 's/.*"work":"([^"]*)".*/\\1/' <<< "$specification")
        echo '{"event":"started"}'
        case "$specification" in
        *bad*) echo '{"event":"failed","reason":"bad_input","message":"these are no pictures; wanted photos of flowers"}'
            exit 1 ;;
        esac
        echo row > "$work/predictions.csv"
        echo '{"event":"result","result":{"figures":{},"files":{},"summary":"done"}}'
        """

    /// Only a person who removes the results between two steps brings the daemon to `makeResults`; the tests of
    /// `SpoolFolders` do.
    static let steps = SpoolFolders.Step.allCases.filter { $0 != .makeResults }

    @Test("kill -9 behind each step: folders and rows agree, nothing is lost or done twice", arguments: steps)
    func kill(step: SpoolFolders.Step) async throws {
        let database = try await TestDatabase.make(capacity: 6)
        let spool = "\(scratch.path)/state/spool"
        let first = try RunningDaemon(
            scratch: scratch, database: database, child: Self.child, flags: ["--kill-after-step", step.rawValue])
        #expect(try await first.isReady(), "\(scratch.read("state.log") ?? "")")
        // What a loser of a race had published lies where the results will go, whatever number the job gets.
        for number in 1...4 { try scratch.write("old", to: "state/spool/done/good.\(number)/predictions.csv") }
        try drop()
        #expect(await first.exitStatus() != nil, "the step was not reached: \(scratch.read("state.log") ?? "")")
        #expect(first.process.terminationReason == .uncaughtSignal)

        let second = try RunningDaemon(scratch: scratch, database: database, child: Self.child)
        #expect(
            try await eventually {
                let rows = try await second.queue.jobs(limit: 100)
                return rows.count == 3 && rows.allSatisfy { $0.state.isFinal }
                    && ["processing", ".work", "incoming/classify"].allSatisfy {
                        FileTree.names(in: "\(spool)/\($0)").isEmpty
                    } && FileTree.names(in: "\(spool)/rejected").count == 2
            }, "\(scratch.read("state.log") ?? "")")
        let rows = try await second.queue.jobs(limit: 100)
        for (name, state) in [("good", JobState.completed), ("good.tar", .completed), ("bad", .failed)] {
            let row = try #require(rows.first { $0.name == name })
            #expect(row.state == state)
            #expect(try await second.queue.events(of: row.id).filter { $0.to == state }.count == 1)
            let shelf = state == .completed ? "done" : "rejected"
            let folder = "\(shelf)/\(name).\(row.id)"
            #expect(FileTree.names(in: "\(spool)/\(folder)/input").contains("1.jpg"), "\(folder)")
            if state == .completed { #expect(scratch.read("state/spool/\(folder)/predictions.csv") == "row\n") }
        }
        let archived = try #require(rows.first { $0.name == "good.tar" })
        #expect(FileTree.names(in: "\(spool)/done/good.tar.\(archived.id)/input/.dropped") == ["good.tar"])
        let failed = try #require(rows.first { $0.name == "bad" })
        let notice = scratch.read("state/spool/rejected/bad.\(failed.id)/REASON.json") ?? ""
        #expect(notice.contains("\"wanted\" : \"photos of flowers; then drop the folder again\""), "\(notice)")
    }

    /// One of each sort: a folder with checksums that completes, an archive, a folder that fails, one that is refused.
    private func drop() throws {
        var tar = TarDraft()
        tar.add("1.jpg", content: "1")
        tar.add("job.yaml", content: "model: m")
        for name in ["good", "bad", "linked"] {
            try scratch.write("1", to: "state/spool/tmp/\(name)/1.jpg")
            try scratch.write("model: m", to: "state/spool/tmp/\(name)/job.yaml")
        }
        let spool = "\(scratch.path)/state/spool"
        try Tool.shell("sha256sum 1.jpg job.yaml > manifest.sha256", in: "\(spool)/tmp/good")
        symlink("/etc/passwd", "\(spool)/tmp/linked/2.jpg")
        #expect(FileManager.default.createFile(atPath: "\(spool)/tmp/good.tar", contents: Data(tar.ended)))
        for name in ["linked", "good", "good.tar", "bad"] {
            // A daemon that is killed at the first of them does not matter to the others.
            #expect(rename("\(spool)/tmp/\(name)", "\(spool)/incoming/classify/\(name)") == 0)
        }
    }
}
