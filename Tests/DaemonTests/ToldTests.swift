import JobQueue
import Logging
import TestSupport
import Testing

@testable import Daemon

/// What a daemon's log tells once, however often it is looked at.
@Suite struct ToldTests {
    @Test("a text is news until it was said, and again after another one or once all was well")
    func news() {
        let told = Told<Int>()
        #expect(told.isNews("full", of: 1) && !told.isNews("full", of: 1))
        #expect(told.isNews("full", of: 2))
        #expect(told.isNews("gone", of: 1) && told.isNews("full", of: 1))
        told.forget(1)
        #expect(told.isNews("full", of: 1) && !told.isNews("full", of: 2))
    }

    @Test("a queue that nobody serves is told once, and again when it was served meanwhile")
    func unservedQueues() async throws {
        let database = try await TestDatabase.make()
        try await JobStore.migrate(database.settings)
        let queue = JobStore(database.database)
        let lines = RecordedLog()
        let unserved = UnservedQueues(queue: queue, logger: Logger(label: "test") { _ in lines })
        for name in ["gpu", "default"] {
            _ = try await queue.submit(
                JobRequest(kind: .train, args: JSONDocument(text: #"{"dataset": "flowers"}"#), queue: name))
        }
        _ = try await queue.registerWorker(WorkerRegistration(slots: 1))
        for _ in 0..<2 { try await unserved.look() }
        #expect(lines.all == ["jobs wait in a queue that no running daemon serves, queue gpu, jobs 1"])
        let worker = try await queue.registerWorker(WorkerRegistration(slots: 1, queues: ["gpu"]))
        try await unserved.look()
        try await queue.retireWorker(worker)
        try await unserved.look()
        #expect(lines.all.count == 2)
    }
}
