import Foundation
import Glibc
import TestSupport
import Testing

@testable import Spool

/// The ground is pulled away: folders of the spool are removed, moved, exchanged, or what happened in them is lost.
@Suite(.timeLimit(.minutes(5))) struct SpoolRootTests: IntakeSuite {
    let scratch = ScratchFolder()
    let registrar: RecordingRegistrar
    let store: SpoolStore

    init() throws {
        registrar = RecordingRegistrar()
        store = try SpoolStore(root: "\(scratch.path)/spool")
    }

    func drop(_ name: String, into spool: String = "spool") throws {
        try scratch.fill("\(spool)/incoming/classify/\(name)", ["1.jpg": "1"])
        try scratch.write("\(spool)/incoming/classify/\(name)/.ready", "")
    }

    @Test(arguments: ["incoming", "tmp", "processing", ""])
    func `a part that is removed, or all, is made again as the same spool, and watched`(part: String) async throws {
        try await withIntake(Self.patient(quiet: nil)) { registrar in
            try drop("first")
            await registrar.wait { $0.placed.count == 1 }
            // May well meet folders that are being made again.
            try Tool.shell("rm -rf spool/\(part) || true", in: scratch.path)
            try drop("second")
            await registrar.wait { $0.placed.count == 2 }
        }
        #expect(scratch.text("spool/.spool-id") == "\(store.identifier)\n")
        #expect(registrar.accepted.allSatisfy { $0.uniqueKey.hasPrefix("spool:\(store.identifier):") })
    }

    @Test func `a root that is moved away is made again, and what happens in the old one means nothing`() async throws {
        try scratch.fill("spool/tmp/third", ["1.jpg": "1"])
        try await withIntake(Self.patient(quiet: nil)) { registrar in
            try drop("first")
            await registrar.wait { $0.placed.count == 1 }
            try scratch.move("spool", to: "old")
            try drop("second")
            await registrar.wait { $0.placed.count == 2 }
            // Not complete here, and renamed in from tmp there.
            try scratch.fill("spool/incoming/classify/third", ["1.jpg": "1"])
            try scratch.move("old/tmp/third", to: "old/incoming/classify/third")
            try drop("fourth")
            await registrar.wait { $0.placed.count == 3 }
        }
        #expect(registrar.accepted.map(\.name) == ["first", "second", "fourth"])
        #expect(scratch.list("spool/incoming/classify") == ["third"])
    }

    @Test func `a spool belongs to the database whose daemons came first, until a person takes the mark away`()
        async throws
    {
        let root = "\(scratch.path)/spool"
        _ = try SpoolStore(root: root, database: "0a-1b")
        let bound = try SpoolStore(root: root, database: "0a-1b")
        #expect {
            try SpoolStore(root: root, database: "2c-3d")
        } throws: { error in
            "\(error)".contains("belongs to database 0a-1b, wanted that of this daemon, 2c-3d")
        }
        // Made again after it was removed, it is still that database's.
        try Tool.shell("rm -r spool", in: scratch.path)
        try bound.folders.repairLayout()
        #expect(throws: SpoolError.self) { try SpoolStore(root: root, database: "2c-3d") }

        #expect(unlink("\(root)/.spool-database") == 0)
        _ = try SpoolStore(root: root, database: "2c-3d")
        #expect(throws: SpoolError.self) { try SpoolStore(root: root, database: "0a-1b") }
    }

    @Test func `from another spool in the place of this one nothing is taken`() async throws {
        try scratch.write("other/.spool-id", "abc\n")
        try drop("second", into: "other")
        try await withIntake(Self.patient(quiet: nil)) { registrar in
            try drop("first")
            await registrar.wait { $0.placed.count == 1 }
            try scratch.move("spool", to: "aside")
            try scratch.move("other", to: "spool")
            await registrar.wait { state in state.log.contains { $0.hasPrefix("could not look through the spool") } }
            try scratch.move("spool", to: "other")
            try scratch.move("aside", to: "spool")
            try drop("third")
            await registrar.wait { $0.placed.count == 2 }
        }
        #expect(registrar.accepted.map(\.name) == ["first", "third"])
        #expect(scratch.list("other/incoming/classify/second") == [".ready", "1.jpg"])
    }

    @Test func `events that were lost are made up for by a look at everything`() async throws {
        var configuration = Self.patient(quiet: nil)
        configuration.rescanInterval = .seconds(3600)
        try await withIntake(configuration, registrar: RecordingRegistrar(isHeld: true)) { registrar in
            try drop("first")
            await registrar.wait { $0.asked == 1 }
            // While the intake waits for the queue, more happens than is kept, and the last of it matters.
            try scratch.write("spool/incoming/classify/.a", "")
            for _ in 0...(FolderWatch.inboxLimit / 4) {
                try scratch.move("spool/incoming/classify/.a", to: "spool/incoming/classify/.b")
                try scratch.move("spool/incoming/classify/.b", to: "spool/incoming/classify/.a")
            }
            try drop("second")
            registrar.release()
            await registrar.wait { $0.placed.count == 2 }
        }
    }

    @Test func `the overflow of the kernel's queue is told`() async throws {
        let path = "/proc/sys/fs/inotify/max_queued_events"
        let text = try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let limit = try #require(Int(text))
        let (events, event) = AsyncStream<Void>.makeStream()
        let gate = DispatchSemaphore(value: 0)
        let watch = try FolderWatch {
            event.yield()
            gate.wait()
        }
        _ = try watch.add(FolderHandle(path: scratch.path))
        try scratch.write("a", "")
        for await _ in events { break }
        for _ in 0...(limit / 4) {
            try scratch.move("a", to: "b")
            try scratch.move("b", to: "a")
        }
        // From now on no call waits.
        for _ in 0..<100 { gate.signal() }
        while !watch.take().overflow {
            try Task.checkCancellation()
            for await _ in events { break }
        }
    }
}
