import Foundation
import Support
import Synchronization
import Testing

@testable import Spool

/// The protocol with a crash behind every step: what was begun is begun again from the start, as after `kill -9`.
@Suite struct SpoolFoldersTests {
    struct Crash: Error {}

    let scratch = ScratchFolder()
    let folders: SpoolFolders

    init() throws {
        folders = try SpoolFolders(layout: SpoolLayout(root: "\(scratch.path)/spool"))
    }

    /// Runs `body` once for each step it has, crashing behind that step, and once more to the end each time. `prepare`
    /// sets the scene anew, `check` looks at the end.
    func survive(
        prepare: () throws -> Void, _ body: (SpoolFolders) throws -> Void, check: (String) throws -> Void
    ) throws -> Set<SpoolFolders.Step> {
        var crashed: Set<SpoolFolders.Step> = []
        for step in SpoolFolders.Step.allCases {
            try prepare()
            var fragile = folders
            let hits = Mutex(0)
            fragile.afterStep = { reached in
                if reached == step {
                    hits.withLock { $0 += 1 }
                    throw Crash()
                }
            }
            do { try body(fragile) } catch is Crash {}
            if hits.withLock({ $0 }) > 0 { crashed.insert(step) }
            try body(folders)
            try body(folders)
            try check("\(step)")
        }
        return crashed
    }

    func drop(_ name: String, kind: SpoolKind = .classify) throws -> DropIdentity {
        let incoming = try FolderHandle(path: folders.layout.incoming(kind))
        let status = try #require(try incoming.status(of: EntryName(name)))
        return DropIdentity(kind: kind, name: EntryName(name), status: status)
    }

    @Test func `the layout has the right permissions, and keeps those an administrator gave`() throws {
        func mode(_ name: String) throws -> Int {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(scratch.path)/spool/\(name)")
            return try #require(attributes[.posixPermissions] as? Int)
        }
        #expect(try mode("incoming/train") == 0o2770)
        #expect(try mode("tmp") == 0o2770)
        #expect(try mode("processing") == 0o700)
        #expect(try mode("done") == 0o2750)
        chmod("\(scratch.path)/spool/tmp", 0o3777)
        let again = try SpoolFolders(layout: folders.layout)
        #expect(try mode("tmp") == 0o3777)
        #expect(again.identifier == folders.identifier)
    }

    @Test func `the key is the same for one drop and another for the next`() throws {
        try scratch.fill("spool/incoming/classify/a", ["x": "1"])
        let first = try drop("a")
        #expect(try drop("a") == first)
        try scratch.move("spool/incoming/classify/a", to: "elsewhere")
        try scratch.move("elsewhere", to: "spool/incoming/classify/a")
        let second = try drop("a")
        #expect(second.inode == first.inode)
        #expect(second.uniqueKey(spool: "s") != first.uniqueKey(spool: "s"))
    }

    @Test func `placing survives a crash, and says when the drop is gone`() throws {
        var identity: DropIdentity?
        let steps = try survive {
            try? FileManager.default.removeItem(atPath: folders.layout.input(folder: "a.1"))
            try scratch.fill("spool/incoming/classify/a", ["x": "1"])
            identity = try drop("a")
        } _: { folders in
            let placement = try folders.place(identity!, folder: "a.1")
            #expect(placement != .vanished)
        } check: { _ in
            #expect(scratch.list("spool/processing/a.1") == ["x"])
            #expect(scratch.list("spool/incoming/classify").isEmpty)
        }
        #expect(steps == [.moveToProcessing])
        try scratch.fill("spool/incoming/classify/b", ["x": "1"])
        let gone = try drop("b")
        try scratch.move("spool/incoming/classify/b", to: "taken-back")
        #expect(try folders.place(gone, folder: "b.2") == .vanished)
    }

    @Test func `another folder under the name of the inspected one is not moved`() throws {
        try scratch.fill("spool/incoming/classify/a", ["x": "1"])
        let inspected = try drop("a")
        try scratch.move("spool/incoming/classify/a", to: "old")
        try scratch.fill("spool/incoming/classify/a", ["evil": "1"])
        #expect(try folders.place(inspected, folder: "a.1") == .vanished)
        #expect(scratch.list("spool/incoming/classify/a") == ["evil"])
    }

    @Test func `of two that race for a folder one moves it`() async throws {
        for round in 0..<50 {
            let folder = "a.\(round)"
            try scratch.fill("spool/incoming/classify/a", ["x": "1"])
            let identity = try drop("a")
            let folders = folders
            let outcomes = try await withThrowingTaskGroup(of: SpoolFolders.Placement.self) { group in
                for _ in 0..<4 { group.addTask { try folders.place(identity, folder: folder) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.filter { $0 == .moved }.count == 1)
            #expect(outcomes.filter { $0 == .alreadyThere }.count == 3)
        }
    }

    @Test func `publishing and completing survive a crash behind every step`() throws {
        let steps = try survive {
            try? FileManager.default.removeItem(atPath: "\(scratch.path)/spool/done/a.1")
            try scratch.fill("spool/processing/a.1", ["x": "1"])
            // A leftover that a loser had published.
            try scratch.fill("spool/done/a.1", ["predictions.csv": "loser"])
            let work = try folders.results.makeWorkFolder(job: 1, token: 5)
            try AtomicFile.write("winner".utf8, to: "\(work)/predictions.csv")
        } _: { folders in
            do {
                _ = try folders.results.publish(job: 1, token: 5, as: "a.1")
            } catch SpoolError.alreadyCompleted {
                // The repetition after the end.
            }
            try folders.complete(job: 1, token: 5, folder: "a.1")
        } check: { step in
            #expect(scratch.list("spool/done/a.1") == ["input", "predictions.csv"], "\(step)")
            #expect(scratch.text("spool/done/a.1/predictions.csv") == "winner", "\(step)")
            #expect(scratch.list("spool/done/a.1/input") == ["x"], "\(step)")
            #expect(scratch.list("spool/processing").isEmpty, "\(step)")
            #expect(scratch.list("spool/.work").isEmpty, "\(step)")
        }
        #expect(
            steps == [.markPublication, .displaceLeftover, .publishResults, .beginCompletion, .moveInput, .sweepWork])
    }

    @Test func `completing makes the folder of results again when a person took it away`() throws {
        try scratch.fill("spool/processing/a.1", ["x": "1"])
        try folders.complete(job: 1, token: nil, folder: "a.1")
        #expect(scratch.list("spool/done/a.1/input") == ["x"])
    }

    @Test func `results called input do not hide the input`() throws {
        try scratch.fill("spool/processing/a.1", ["x": "1"])
        try scratch.fill("spool/done/a.1/input", ["mine": "1"])
        try folders.complete(job: 1, token: nil, folder: "a.1")
        #expect(scratch.list("spool/done/a.1/input.1") == ["x"])
    }

    @Test func `rejecting a job survives a crash behind every step`() throws {
        let refusal = Refusal(reason: "bad_input", message: "no classes", wanted: "folders of classes")
        let steps = try survive {
            try? FileManager.default.removeItem(atPath: "\(scratch.path)/spool/rejected/a.1")
            try scratch.fill("spool/processing/a.1", ["x": "1", "REASON.json": "the person's own"])
        } _: { folders in
            try folders.reject(job: 1, kind: .train, name: "a", folder: "a.1", refusal: refusal)
        } check: { step in
            #expect(scratch.list("spool/rejected/a.1") == ["REASON.json", "input"], "\(step)")
            #expect(scratch.list("spool/rejected/a.1/input") == ["REASON.json", "x"], "\(step)")
            #expect(scratch.list("spool/processing").isEmpty && scratch.list("spool/.work").isEmpty, "\(step)")
        }
        #expect(steps == [.beginRejection, .prepareReason, .publishReason, .moveToRejected, .sweepWork])
        let text = try #require(scratch.text("spool/rejected/a.1/REASON.json"))
        let notice = try JSONDecoder().decode(RejectionNotice.self, from: Data(text.utf8))
        #expect(notice.job == 1 && notice.kind == "train" && notice.name == "a")
        #expect(notice.reason == "bad_input" && notice.message == "no classes")
        #expect(notice.wanted == "folders of classes" && notice.at.hasSuffix("Z"))
    }

    @Test func `refusing a drop survives a crash behind every step, with one folder in the end`() throws {
        let steps = try survive {
            try? FileManager.default.removeItem(atPath: folders.layout.rejected)
            try folders.repairLayout()
            try scratch.fill("spool/incoming/classify/a", ["x": "1"])
        } _: { folders in
            guard scratch.exists("spool/incoming/classify/a") else { return }
            let identity = try drop("a")
            try folders.refuse(identity, isFolder: true, refusal: .empty("a"))
        } check: { step in
            let rejected = scratch.list("spool/rejected")
            #expect(rejected.count == 1, "\(step)")
            #expect(scratch.list("spool/rejected/\(rejected[0])") == ["REASON.json", "input"], "\(step)")
            #expect(scratch.list("spool/rejected/\(rejected[0])/input") == ["x"], "\(step)")
        }
        #expect(steps == [.prepareReason, .publishReason, .moveToRejected])
    }

    @Test func `two daemons that refuse the same drops at the same moment leave a reason for each, and nothing else`()
        async throws
    {
        for number in 0..<60 { try scratch.fill("spool/incoming/classify/\(number)", ["x": "1"]) }
        let drops = try (0..<60).map { try drop("\($0)") }
        let layout = folders.layout
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    guard let folders = try? SpoolFolders(layout: layout) else { return }
                    for drop in drops { _ = try? folders.refuse(drop, isFolder: true, refusal: .empty("a")) }
                }
            }
        }
        let rejected = scratch.list("spool/rejected")
        #expect(rejected.count == 60)
        for folder in rejected {
            #expect(scratch.list("spool/rejected/\(folder)") == ["REASON.json", "input"], "\(folder)")
        }
        #expect(scratch.list("spool/.work").isEmpty)
    }

    @Test func `a stray file is refused under its own name`() throws {
        try scratch.write("spool/incoming/classify/photo.jpg", "1")
        let name = try folders.refuse(
            try drop("photo.jpg"), isFolder: false, refusal: .notAFolder("photo.jpg", "plain file"))
        #expect(scratch.list("spool/rejected/\(name)/input") == ["photo.jpg"])
        #expect(scratch.text("spool/rejected/\(name)/REASON.json")?.contains("expected a folder") == true)
        #expect(scratch.text("spool/rejected/\(name)/REASON.json")?.contains("\"job\" : null") == true)
    }

    @Test func `a retried job gets its input back`() throws {
        try scratch.fill("spool/rejected/a.1/input", ["x": "1"])
        #expect(try folders.restore(folder: "a.1"))
        #expect(scratch.list("spool/processing/a.1") == ["x"])
        #expect(try folders.restore(folder: "a.1"))
        #expect(try !folders.restore(folder: "b.2"))
    }
}
