import Testing

@testable import Spool

@Suite struct ReconciliationTests {
    let scratch = ScratchFolder()
    let store: SpoolStore

    init() throws {
        store = try SpoolStore(root: "\(scratch.path)/spool")
    }

    func row(
        _ job: Int64, _ name: String, _ state: SpoolRow.State = .unfinished, folder: String? = nil, key: String = "k",
        token: Int64? = nil
    ) -> SpoolRow {
        SpoolRow(
            job: job, kind: .classify, name: name, uniqueKey: "spool:\(store.identifier):\(key)", folder: folder,
            state: state, token: token)
    }

    func reconcile(_ rows: SpoolRow...) async throws -> ReconcileReport {
        try await store.reconcile { _ in rows }
    }

    @Test func `folders of jobs that ended are finished off`() async throws {
        try scratch.fill("spool/processing/a.1", ["x": "1"])
        try scratch.fill("spool/done/a.1", ["predictions.csv": ""])
        try scratch.fill("spool/processing/b.2", ["x": "1"])
        try scratch.fill("spool/.work/1.7", ["half": ""])
        let refusal = Refusal(reason: "cancelled", message: "cancelled by a person", wanted: "drop it again")
        let report = try await reconcile(
            row(1, "a", .completed, folder: "a.1"), row(2, "b", .failed(refusal), folder: "b.2"))
        #expect(report.finished == [1, 2])
        #expect(scratch.list("spool/done/a.1") == ["input", "predictions.csv"])
        #expect(scratch.list("spool/rejected/b.2") == ["REASON.json", "input"])
        #expect(scratch.list("spool/.work").isEmpty)
        #expect(report.warnings.isEmpty)
    }

    @Test func `a running job keeps its input and its work`() async throws {
        try scratch.fill("spool/processing/a.1", ["x": "1"])
        try scratch.fill("spool/.work/1.7", ["checkpoint": ""])
        let report = try await reconcile(row(1, "a", folder: "a.1"))
        #expect(report == ReconcileReport())
        #expect(scratch.list("spool/.work") == ["1.7"])
    }

    @Test func `a crash between row and rename is made good`() async throws {
        try scratch.fill("spool/incoming/classify/a", ["x": "1"])
        let status = try #require(
            try FolderHandle(path: store.layout.incoming(.classify)).status(of: EntryName("a")))
        let drop = DropIdentity(kind: .classify, name: EntryName("a"), status: status)
        let key = drop.uniqueKey(spool: store.identifier)
        let row = SpoolRow(job: 4, kind: .classify, name: "a", uniqueKey: key, folder: nil, state: .unfinished)
        #expect(try await reconcile(row).toPlace == [4: "a.4"])
        #expect(scratch.list("spool/processing/a.4") == ["x"])
    }

    @Test func `a crash between rename and row is made good`() async throws {
        try scratch.fill("spool/processing/a.4", ["x": "1"])
        #expect(try await reconcile(row(4, "a")).toPlace == [4: "a.4"])
    }

    @Test func `a later drop of the same name is not taken for the lost one`() async throws {
        try scratch.fill("spool/incoming/classify/a", ["x": "1"])
        let report = try await reconcile(row(4, "a", key: "classify:a:1:1"))
        #expect(report.lost[4]?.message.contains("'a' of job 4") == true)
        #expect(scratch.list("spool/incoming/classify") == ["a"])
    }

    @Test func `a job sent back to the queue gets its input back`() async throws {
        try scratch.fill("spool/rejected/a.4/input", ["x": "1"])
        #expect(try await reconcile(row(4, "a", folder: "a.4")).lost.isEmpty)
        #expect(scratch.list("spool/processing/a.4") == ["x"])
    }

    @Test func `a folder without a row is rejected, one without a number is left alone`() async throws {
        try scratch.fill("spool/processing/a.9", ["x": "1"])
        try scratch.fill("spool/processing/mine", ["x": "1"])
        let report = try await reconcile()
        #expect(report.warnings.count == 2)
        #expect(scratch.list("spool/rejected/a.9") == ["REASON.json", "input"])
        #expect(scratch.list("spool/processing") == ["mine"])
    }

    @Test func `rows of another spool are none of our business`() async throws {
        let other = SpoolRow(
            job: 4, kind: .classify, name: "a", uniqueKey: "spool:other:k", folder: "a.4", state: .unfinished)
        #expect(try await reconcile(other) == ReconcileReport())
    }
}
