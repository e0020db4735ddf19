import Foundation
import JobQueue
import Logging
import Postgres
import Runs
import Spool
import Support
import TestSupport
import Testing

@testable import Daemon

/// What the daemon that ended a job could not put in its place.
@Suite struct FolderSweepTests {
    let scratch: Scratch
    let database: TestDatabase
    let queue: JobStore
    let results: ResultStore
    let publisher: ModelPublisher
    let sweep: FolderSweep

    private var models: String { publisher.models }

    init() async throws {
        scratch = try Scratch()
        database = try await TestDatabase.make()
        try await JobStore.migrate(database.settings)
        queue = JobStore(database.database)
        results = try ResultStore(root: "\(scratch.path)/results")
        let spool = try SpoolStore(root: "\(scratch.path)/spool")
        publisher = ModelPublisher(
            queue: queue, results: results, spool: spool, models: "\(scratch.path)/models",
            logger: Logger(label: "test"))
        sweep = FolderSweep(
            queue: queue, results: results, spool: spool, publisher: publisher, logger: Logger(label: "test")
        ) { [] }
    }

    /// A completed training whose model is still to be published, as a crash after the commit leaves it.
    private func completedTraining(publishing model: String) async throws -> ModelPublication {
        _ = try await queue.submit(JobRequest(kind: .train, args: JSONDocument(text: #"{"dataset": "a"}"#)))
        let worker = try await queue.registerWorker(WorkerRegistration(slots: 1))
        let claim = try #require(try await queue.claimAvailable(1, for: worker).first)
        let work = try results.makeWorkFolder(claim.lease)
        try "best".write(toFile: "\(work)/best.ckpt", atomically: true, encoding: .utf8)
        let note = try #require(publication(of: claim, as: model))
        try note.note(in: results.workRoot)
        let output = try results.publish(claim.lease).path
        #expect(try await queue.complete(claim.lease, result: nil, outputPath: output))
        return note
    }

    private func publication(of claim: ClaimedJob, as model: String) -> ModelPublication? {
        ModelPublication(
            job: claim.id.rawValue, token: claim.lease.token.rawValue,
            arguments: .object(["publish_as": .string(model)]),
            result: RunResult(figures: [:], files: ["publish": "best.ckpt"], summary: ""))
    }

    private func remark(on note: ModelPublication) async throws -> String? {
        try await queue.job(JobID(note.job))?.progressMessage
    }

    @Test("a model that can't be published for the moment is published later, and keeps no other job waiting")
    func publishesLater() async throws {
        let first = try await completedTraining(publishing: "first")
        let second = try await completedTraining(publishing: "second")
        // In the place of the folder of models.
        try scratch.write("a file", to: "models")
        // Work of a job that nobody knows.
        try scratch.write("", to: "results/.work/999999.1/last.ckpt")

        try await sweep.run()
        #expect(Set(ModelPublication.notes(in: results.workRoot)) == [first, second])
        #expect(!FileTree.exists("\(results.workRoot)/999999.1"))

        try FileTree.remove(models)
        try await sweep.run()
        #expect(scratch.read("models/first.ckpt") == "best" && scratch.read("models/second.ckpt") == "best")
        #expect(try await remark(on: first) == "model 'first' is published")
        #expect(FileTree.names(in: results.workRoot).isEmpty)
    }

    @Test("a job that is to use the model of a completed training finds it, whatever became of that one's daemon")
    func publishedBeforeUse() async throws {
        let first = try await completedTraining(publishing: "first")
        _ = try await completedTraining(publishing: "second")
        try scratch.write("a file", to: "models")
        let args = JSONDocument(text: #"{"dataset": "a", "model": "first"}"#)
        let waited = try await queue.submit(JobRequest(kind: .evaluate, args: args, after: [JobID(first.job)]))
        let other = try await queue.submit(JobRequest(kind: .evaluate, args: args))
        try await publisher.settle(["third"], for: waited)
        // Somebody else's job is not kept from the model that is in service.
        try await publisher.settle(["first", "third"], for: other)
        let later = try await queue.submit(JobRequest(kind: .evaluate, args: args, after: [waited]))
        await #expect(throws: RunFailure.self) { try await publisher.settle(["first"], for: later) }
        let failure = await #expect(throws: RunFailure.self) {
            try await publisher.settle(["first", "third"], for: waited)
        }
        #expect(failure?.reason == .error)
        #expect(failure?.message.hasPrefix("model 'first' of job \(first.job) is not published yet: ") == true)

        try FileTree.remove(models)
        try await publisher.settle(["first", "third"], for: waited)
        #expect(FileTree.names(in: models) == ["first.ckpt"])
        #expect(publisher.notes.map(\.model) == ["second"])
    }

    @Test("a training that still runs keeps nobody waiting, and its model is left to its daemon")
    func runningTraining() async throws {
        _ = try await queue.submit(JobRequest(kind: .train, args: JSONDocument(text: #"{"dataset": "a"}"#)))
        let worker = try await queue.registerWorker(WorkerRegistration(slots: 1))
        let claim = try #require(try await queue.claimAvailable(1, for: worker).first)
        let note = try #require(publication(of: claim, as: "m"))
        try note.note(in: results.workRoot)
        try await publisher.settle(["m"], for: claim.id)
        #expect(publisher.notes == [note] && !FileTree.exists(models))
    }

    @Test("one job whose checkpoint somebody took away keeps no other from its model")
    func missingCheckpoint() async throws {
        let first = try await completedTraining(publishing: "first")
        try FileTree.remove("\(results.root)/\(first.job)/best.ckpt")
        _ = try await completedTraining(publishing: "second")
        try await sweep.run()
        #expect(try await remark(on: first)?.contains("there is no file") == true)
        #expect(scratch.read("models/second.ckpt") == "best")
        #expect(FileTree.names(in: results.workRoot).isEmpty)
    }

    @Test("a model that was put there since stays")
    func overtaken() async throws {
        let note = try await completedTraining(publishing: "flowers")
        try scratch.write("newer", to: "models/flowers.ckpt")
        try await sweep.run()
        #expect(scratch.read("models/flowers.ckpt") == "newer")
        #expect(
            try await remark(on: note)
                == "model 'flowers' is not published: another one was put there since the two were compared")
        #expect(FileTree.names(in: results.workRoot).isEmpty)
    }
}
