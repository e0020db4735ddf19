import Foundation
import Glibc
import JobQueue
import Support
import TestSupport
import Testing

@testable import Daemon

/// The real daemon when the ground under its spool gives way: folders that are removed, file systems that are mounted over
/// it, watches that are used up. The last two in namespaces of the daemon's own, whose limits and mounts are nobody else's.
@Suite(.serialized) struct SpoolGroundTests {
    let scratch: Scratch
    let database: TestDatabase

    static let needsNamespaces = ConditionTrait.enabled(
        if: hasNamespaces, "the system does not let this user make namespaces")
    static let hasNamespaces = (try? Tool.shell("unshare --user --map-root-user --mount true", in: "/")) != nil

    init() async throws {
        scratch = try Scratch()
        database = try await TestDatabase.make(capacity: 6)
    }

    /// Runs `preparation` in fresh namespaces, and the daemon after it.
    func daemon(after preparation: String, child: String = ServeTests.succeeding) async throws -> RunningDaemon {
        let launcher = [
            "/usr/bin/unshare", "--user", "--map-root-user", "--mount", "sh", "-c", "\(preparation) && exec \"$@\"",
            "sh",
        ]
        let daemon = try RunningDaemon(
            scratch: scratch, database: database, child: child, more: "log_level: debug", launcher: launcher)
        #expect(try await daemon.isReady(), "\(scratch.read("state.log") ?? "")")
        return daemon
    }

    /// Puts a folder of two files and a wish into `spool`, and renames it over.
    func drop(_ name: String, into spool: String) throws {
        try scratch.write("1", to: "\(spool)/tmp/\(name)/1.jpg")
        try scratch.write("2", to: "\(spool)/tmp/\(name)/sub/2.jpg")
        try scratch.write("model: m", to: "\(spool)/tmp/\(name)/job.yaml")
        let (from, to) = ("\(spool)/tmp/\(name)", "\(spool)/incoming/classify/\(name)")
        #expect(rename("\(scratch.path)/\(from)", "\(scratch.path)/\(to)") == 0)
    }

    /// How many lines of the daemon's log have this text.
    func lines(with text: String) -> Int {
        (scratch.read("state.log") ?? "").split(separator: "\n").count { $0.contains(text) }
    }

    /// Waits until the daemon has looked through the spool once more, from beginning to end.
    func looksAgain() async -> Bool {
        // The first look that ends may have begun before.
        let former = lines(with: "looked through the spool")
        return await eventually { lines(with: "looked through the spool") >= former + 2 }
    }

    /// Waits until the drop's input lies whole in `done/`.
    func isDone(_ name: String, in spool: String) async -> Bool {
        await eventually {
            FileTree.names(in: "\(scratch.path)/\(spool)/done").contains { folder in
                folder.hasPrefix("\(name).") && scratch.read("\(spool)/done/\(folder)/input/sub/2.jpg") == "2"
            }
        }
    }

    @Test(
        "where watches are used up, or there are none, the spool is polled, and the log says so", needsNamespaces,
        arguments: [
            ("max_inotify_watches", 3, "no more watches"), ("max_inotify_watches", 6, "no more watches"),
            ("max_inotify_instances", 0, "no watches"),
        ])
    func exhaustion(limit: String, value: Int, sentence: String) async throws {
        let daemon = try await daemon(after: "echo \(value) > /proc/sys/user/\(limit)")
        try drop("renamed", into: "state/spool")
        // Many subfolders, by a copy that is complete when it rests.
        for number in 0..<20 { try scratch.write("1", to: "copied/\(number)/1.jpg") }
        try scratch.write("2", to: "copied/sub/2.jpg")
        try scratch.write("model: m", to: "copied/job.yaml")
        try Tool.shell("cp -r copied state/spool/incoming/classify/", in: scratch.path)
        #expect(await isDone("renamed", in: "state/spool"), "\(scratch.read("state.log") ?? "")")
        #expect(await isDone("copied", in: "state/spool"), "\(scratch.read("state.log") ?? "")")
        #expect(try await daemon.queue.jobs(limit: 100).count == 2)
        let lines = (scratch.read("state.log") ?? "").split(separator: "\n").filter {
            $0.contains("the spool is polled")
        }
        #expect(lines.count == 1 && lines[0].contains(sentence), "\(lines)")
    }

    @Test(
        "a file system that goes away under the spool and comes back: nothing is put in its place, no job is charged",
        needsNamespaces,
        // Another file system, and a part of the one that is under it.
        arguments: ["mount -t tmpfs tmpfs", "true"])
    func remount(filesystem: String) async throws {
        for folder in ["disk", "state/spool"] {
            try FileManager.default.createDirectory(
                atPath: "\(scratch.path)/\(folder)", withIntermediateDirectories: true)
        }
        let (disk, spool) = ("\(scratch.path)/disk", "\(scratch.path)/state/spool")
        let daemon = try await daemon(
            after: "\(filesystem) '\(disk)' && mount --bind '\(disk)' '\(spool)'",
            child: "until [ -e '\(scratch.path)/go' ]; do sleep 0.05; done\n\(ServeTests.succeeding)")
        func inside(_ line: String) throws {
            let pid = daemon.process.processIdentifier
            try Tool.shell("nsenter --target \(pid) --user --mount --preserve-credentials \(line)", in: "/")
        }
        // The way to the disk that only the daemon has mounted.
        try FileManager.default.createSymbolicLink(
            atPath: "\(scratch.path)/inside",
            withDestinationPath: "/proc/\(daemon.process.processIdentifier)/root\(disk)")
        for name in ["running", "waiting"] {
            try drop(name, into: "inside")
            #expect(try await eventually { try await folder(of: name, daemon) != nil })
        }
        let running = try #require(try await daemon.queue.jobs(limit: 100).first { $0.name == "running" })
        _ = try await daemon.job(running.id, reaches: .running)

        try inside("umount --lazy '\(spool)'")
        try scratch.write("", to: "go")
        // It ended well, and has no place for its results; its neighbour was perhaps claimed before somebody looked.
        _ = try await daemon.job(running.id, reaches: .available)
        #expect(await eventually { scratch.read("state.log")?.contains("the spool is away, its jobs wait") == true })
        #expect(
            try await eventually {
                let away = try await daemon.queue.jobs(limit: 100)
                return away.count == 2 && away.allSatisfy { $0.state == .available && $0.attempt == 0 }
            })
        #expect(await looksAgain(), "\(scratch.read("state.log") ?? "")")
        #expect(FileTree.names(in: spool) == [])
        // Jobs by SQL have nothing to do with it.
        let other = try await daemon.submit()
        #expect(try await daemon.job(other, reaches: .completed)?.state == .completed)
        // An empty one in its place, which may well get the numbers of the former.
        try inside("mount -t tmpfs tmpfs '\(spool)'")
        #expect(await looksAgain(), "\(scratch.read("state.log") ?? "")")
        #expect(FileTree.names(in: "/proc/\(daemon.process.processIdentifier)/root\(spool)") == [])
        try inside("umount '\(spool)'")

        try inside("mount --bind '\(disk)' '\(spool)'")
        try drop("after", into: "inside")
        for name in ["running", "waiting", "after"] {
            #expect(await isDone(name, in: "inside"), "\(name): \(scratch.read("state.log") ?? "")")
        }
        let jobs = try await daemon.queue.jobs(limit: 100)
        #expect(jobs.count == 4 && jobs.allSatisfy { $0.state == .completed && $0.attempt == 1 })
    }

    @Test("an archive that does not fit is unpacked once, and again when there is room", needsNamespaces)
    func fullDisk() async throws {
        let spool = "\(scratch.path)/state/spool"
        try FileManager.default.createDirectory(atPath: spool, withIntermediateDirectories: true)
        // 10 MB, and less than that beside it.
        let daemon = try await daemon(after: "mount -t tmpfs -o size=16m tmpfs '\(spool)'")
        func inside(_ line: String) throws {
            let pid = daemon.process.processIdentifier
            try Tool.shell(
                "nsenter --target \(pid) --user --mount --preserve-credentials sh -c \"\(line)\"", in: scratch.path)
        }
        try scratch.write("model: m", to: "large/job.yaml")
        try Tool.shell("head -c 10000000 /dev/urandom > large/1.jpg && tar cf large.tar large", in: scratch.path)
        try inside("cp '\(scratch.path)/large.tar' '\(spool)/tmp/'")
        try inside("mv '\(spool)/tmp/large.tar' '\(spool)/incoming/classify/'")
        // Its turn comes again and again, and it was unpacked once.
        #expect(
            await eventually { lines(with: "an archive waits for more space") >= 3 },
            "\(scratch.read("state.log") ?? "")")
        #expect(lines(with: "an archive does not fit") == 1)
        try inside("mount -o remount,size=64m '\(spool)'")
        #expect(
            try await eventually { try await daemon.queue.jobs(states: [.completed], limit: 100).count == 1 },
            "\(scratch.read("state.log") ?? "")")
    }

    @Test("folders removed from processing: the job that runs ends, one that waits fails with a sentence, others go on")
    func removal() async throws {
        let daemon = try RunningDaemon(
            scratch: scratch, database: database,
            child: "until [ -e '\(scratch.path)/go' ]; do sleep 0.05; done\n\(ServeTests.succeeding)")
        #expect(try await daemon.isReady(), "\(scratch.read("state.log") ?? "")")
        for name in ["running", "waiting"] {
            try drop(name, into: "state/spool")
            #expect(try await eventually { try await folder(of: name, daemon) != nil })
        }
        let running = try #require(try await daemon.queue.jobs(limit: 100).first { $0.name == "running" })
        _ = try await daemon.job(running.id, reaches: .running)
        try Tool.shell("rm -r state/spool/processing/*", in: scratch.path)
        try drop("later", into: "state/spool")
        try scratch.write("", to: "go")
        #expect(await isDone("later", in: "state/spool"), "\(scratch.read("state.log") ?? "")")
        for (name, state) in [("running", JobState.completed), ("waiting", .failed)] {
            let row = try #require(try await daemon.queue.jobs(limit: 100).first { $0.name == name })
            #expect(row.state == state, "\(row)")
            if state == .failed { #expect(row.error?.contains("the dropped folder is gone") == true, "\(row)") }
        }
        #expect(FileTree.names(in: "\(scratch.path)/state/spool/done/running.\(running.id)") == ["specification.json"])
    }

    private func folder(of name: String, _ daemon: RunningDaemon) async throws -> String? {
        try await daemon.queue.jobs(limit: 100).first { $0.name == name }?.spoolFolder
    }
}
