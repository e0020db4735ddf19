import Foundation
import JobQueue
import Logging
import Postgres
import Support
import TestSupport
import Testing

@testable import Daemon

@Suite struct RetentionTests {
    let scratch: Scratch
    let database: TestDatabase
    let queue: JobStore

    init() async throws {
        scratch = try Scratch()
        database = try await TestDatabase.make()
        try await JobStore.migrate(database.settings)
        queue = JobStore(database.database)
    }

    private func submit(after: [JobID] = []) async throws -> JobID {
        try await queue.submit(
            JobRequest(kind: .train, args: JSONDocument(text: #"{"dataset": "a"}"#), after: after))
    }

    /// Makes a log and a result of the job that are as old as the job is going to be.
    private func leaveTraces(_ id: JobID) throws {
        for name in ["logs/\(id).1.log", "results/\(id)/best.ckpt"] { try scratch.write("x", to: name) }
        for name in ["logs/\(id).1.log", "results/\(id)"] {
            try FileManager.default.setAttributes(
                [.modificationDate: Date.now - 100 * 86_400], ofItemAtPath: "\(scratch.path)/\(name)")
        }
    }

    private func run(results: Bool) async throws {
        let roots = DaemonConfiguration.Roots(
            datasets: scratch.path, models: scratch.path, results: "\(scratch.path)/results",
            logs: "\(scratch.path)/logs")
        try await Retention(
            settings: .init(jobs: .seconds(90 * 86_400), results: results), roots: roots, queue: queue,
            logger: Logger(label: "test")
        ).run()
    }

    @Test("a folder that a person called by a number is no result")
    func foreignFolder() async throws {
        for name in ["results/2024/notes.txt", "results/2025/predictions.csv"] { try scratch.write("x", to: name) }
        for name in ["2024", "2025"] {
            try FileManager.default.setAttributes(
                [.modificationDate: Date.now - 100 * 86_400], ofItemAtPath: "\(scratch.path)/results/\(name)")
        }
        try await run(results: true)
        #expect(FileTree.names(in: "\(scratch.path)/results") == ["2024"])
    }

    @Test("rows, events and logs of jobs that ended long ago go, results only if wanted", arguments: [false, true])
    func forgets(results: Bool) async throws {
        let (old, recent, waiting) = (try await submit(), try await submit(), try await submit())
        for id in [old, recent] { _ = try await queue.cancel(id) }
        for id in [old, recent, waiting] { try leaveTraces(id) }
        try await database.database.query(
            "UPDATE shufflenet.jobs SET finished_at = now() - interval '91 days' WHERE id = $1", [old.rawValue])
        try await run(results: results)
        #expect(Set(try await queue.jobs().map(\.id)) == [recent, waiting])
        #expect(try await queue.events(of: old).isEmpty)
        #expect(FileTree.names(in: "\(scratch.path)/logs") == ["\(recent).1.log", "\(waiting).1.log"])
        #expect(FileTree.exists("\(scratch.path)/results/\(old)") == !results)
        #expect(FileTree.exists("\(scratch.path)/results/\(recent)"))
    }

    @Test("what an unfinished job waits for is kept")
    func keeps() async throws {
        let worker = try await queue.registerWorker(WorkerRegistration(slots: 1))
        let first = try await submit()
        let second = try await submit(after: [first])
        let claim = try #require(try await queue.claimAvailable(1, for: worker).first)
        #expect(try await queue.complete(claim.lease, result: nil, outputPath: nil))
        try await database.database.query(
            "UPDATE shufflenet.jobs SET finished_at = now() - interval '91 days' WHERE id = $1", [first.rawValue])
        try await run(results: true)
        #expect(Set(try await queue.jobs().map(\.id)) == [first, second])
    }
}
