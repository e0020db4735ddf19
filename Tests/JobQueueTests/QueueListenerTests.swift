import JobQueue
import Postgres
import TestSupport
import Testing

// A hint that does not come is waited for without an end. The limit counts the wait for a database of its own, too.
@Suite(.timeLimit(.minutes(5))) struct QueueListenerTests {
    /// The next hint that is no polling.
    private func next(_ hints: inout AsyncStream<QueueHint>.Iterator) async -> QueueHint? {
        while let hint = await hints.next() {
            if hint != .poll { return hint }
        }
        return nil
    }

    @Test func `new work, a retry and a cancel are heard of; work for later is not`() async throws {
        let queue = try await QueueFixture.make()
        var hints = QueueListener(
            queue.test.settings, probedBy: queue.database, pollInterval: .milliseconds(50)
        ).hints().makeAsyncIterator()
        #expect(await next(&hints) == .listening)
        try await queue.insert()
        #expect(await next(&hints) == .work)
        // Not due, so silent: the next hint must be the cancel's.
        try await queue.database.query(
            #"SELECT shufflenet.submit('train', '{"dataset": "a"}', run_at => now() + interval '1 hour')"#)
        let claim = try await queue.claimOne()
        _ = try await queue.store.cancel(claim.id)
        #expect(await next(&hints) == .cancel(claim.id))
        _ = try await queue.store.release(claim.lease)
        try await queue.store.retry(claim.id)
        #expect(await next(&hints) == .work)
        let folder = try await queue.store.registerSpoolFolder(
            kind: .train, name: "f", identity: "i", args: .emptyObject)
        try await queue.store.confirmSpoolFolder(folder, folder: "f.1")
        #expect(await next(&hints) == .work)
    }

    @Test func `without any notification there is still a hint to poll`() async throws {
        let queue = try await QueueFixture.make()
        var polls = 0
        let listener = QueueListener(queue.test.settings, probedBy: queue.database, pollInterval: .milliseconds(10))
        for await hint in listener.hints() where hint == .poll {
            polls += 1
            if polls == 3 { break }
        }
        #expect(polls == 3)
    }
}
