import Foundation
import Support
import Synchronization
import TestSupport
import Testing

@testable import Spool

/// An archive's way from `incoming/` to `processing/`, with a crash behind every step.
@Suite struct ArchivePlacementTests {
    struct Crash: Error {}

    let scratch = ScratchFolder()
    let store: SpoolStore

    init() throws {
        store = try SpoolStore(root: "\(scratch.path)/spool")
    }

    func drop() throws -> DropIdentity {
        let incoming = try FolderHandle(path: store.layout.incoming(.classify))
        let status = try #require(try incoming.status(of: EntryName("a.zip")))
        return DropIdentity(kind: .classify, name: EntryName("a.zip"), status: status)
    }

    /// Takes the archive apart and places what it held, as the intake does.
    func place(_ folders: SpoolFolders) throws {
        let draft = try #require(try folders.makeDraft(for: try drop()))
        try scratch.fill("spool/.work/\(draft.name.escaped)/tree/a", ["1.jpg": "1"])
        let placement = try folders.place(try drop(), unpacked: try draft.top(), folder: "a.zip.1")
        #expect(placement == .moved)
        try folders.remove(draft)
    }

    @Test(arguments: [SpoolFolders.Step.moveToProcessing, .shelveArchive], [true, false])
    func `a crash is made good by reconciling, or by the same steps once more`(
        step: SpoolFolders.Step, reconciles: Bool
    ) async throws {
        try scratch.write("spool/incoming/classify/a.zip", "packed")
        try scratch.write("spool/incoming/classify/a.zip.ready", "")
        let key = try drop().uniqueKey(spool: store.identifier)
        var fragile = store.folders
        fragile.afterStep = { if $0 == step { throw Crash() } }
        #expect(throws: Crash.self) { try place(fragile) }
        if reconciles {
            let row = SpoolRow(
                job: 1, kind: .classify, name: "a.zip", uniqueKey: key, folder: nil, state: .unfinished)
            #expect(try await store.reconcile { _ in [row] }.toPlace == [1: "a.zip.1"])
        } else if scratch.exists("spool/incoming/classify/a.zip") {
            try store.folders.sweepDrafts()
            try place(store.folders)
        } else {
            try store.folders.sweepDrafts()
        }
        #expect(scratch.list("spool/processing/a.zip.1") == [".dropped", "1.jpg"])
        #expect(scratch.list("spool/processing/a.zip.1/.dropped") == ["a.zip", "a.zip.ready"])
        #expect(scratch.list("spool/incoming/classify").isEmpty && scratch.list("spool/.work").isEmpty)
    }

    @Test func `a row whose archive still waits in incoming is not lost`() async throws {
        try scratch.write("spool/incoming/classify/a.zip", "packed")
        let key = try drop().uniqueKey(spool: store.identifier)
        let row = SpoolRow(job: 1, kind: .classify, name: "a.zip", uniqueKey: key, folder: nil, state: .unfinished)
        #expect(try await store.reconcile { _ in [row] } == ReconcileReport())
    }

    @Test func `an archive that changed while it was taken apart is not placed`() throws {
        try scratch.write("spool/incoming/classify/a.zip", "packed")
        let before = try drop()
        let draft = try #require(try store.folders.makeDraft(for: before))
        try scratch.fill("spool/.work/\(draft.name.escaped)/tree", ["1.jpg": "1"])
        try scratch.write("spool/incoming/classify/a.zip", "packed again")
        #expect(try store.folders.place(before, unpacked: try draft.top(), folder: "a.zip.1") == .vanished)
        #expect(scratch.list("spool/processing").isEmpty)
    }

    @Test func `of two daemons on one spool one takes an archive apart, and a sweep leaves it alone`() throws {
        try scratch.write("spool/incoming/classify/a.zip", "packed")
        let draft = try #require(try store.folders.makeDraft(for: try drop()))
        #expect(try store.folders.makeDraft(for: try drop()) == nil)
        try store.folders.sweepDrafts()
        #expect(scratch.list("spool/.work") == [draft.name.escaped])
        withExtendedLifetime(draft.holder) {}
    }
}
