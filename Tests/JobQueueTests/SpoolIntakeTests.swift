import JobQueue
import Postgres
import TestSupport
import Testing

@Suite struct SpoolIntakeTests {
    private func register(_ queue: QueueFixture, _ identity: String = "spool:s:1:2:3") async throws -> JobID {
        try await queue.store.registerSpoolFolder(
            kind: .classify, name: "batch-0412", identity: identity, args: JSONDocument(text: #"{"model": "m"}"#))
    }

    @Test func `a folder is one row however often it is registered, also after its job has ended`() async throws {
        let queue = try await QueueFixture.make()
        let id = try await register(queue)
        #expect(try await register(queue) == id)
        #expect(try await queue.store.job(id)?.uniqueKey == "spool:s:1:2:3")
        try await queue.store.confirmSpoolFolder(id, folder: "batch-0412.\(id)")
        let claim = try await queue.claimOne()
        #expect(try await queue.store.complete(claim.lease, result: nil, outputPath: nil))
        #expect(try await register(queue) == id)
        #expect(try await register(queue, "s:another") != id)
    }

    @Test func `many who register one folder at once make one row`() async throws {
        let queue = try await QueueFixture.make(capacity: 8)
        let ids = try await withThrowingTaskGroup(of: JobID.self) { group in
            for _ in 0..<16 { group.addTask { try await register(queue) } }
            return try await group.reduce(into: Set<JobID>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
    }

    @Test func `a folder's job is claimed only after it was moved to its place`() async throws {
        let queue = try await QueueFixture.make()
        let id = try await register(queue)
        #expect(try await queue.store.claimAvailable(1, for: queue.worker).isEmpty)
        #expect(try await queue.store.spoolJobs().map(\.id) == [id])
        #expect(try await queue.store.confirmSpoolFolder(id, folder: "f"))
        #expect(try await queue.store.confirmSpoolFolder(id, folder: "f"))
        let claim = try await queue.claimOne()
        #expect(claim.job.spoolFolder == "f" && claim.job.name == "batch-0412")
        #expect(try await queue.store.spoolJobs().map(\.id) == [id])
        _ = try await queue.store.fail(claim.lease, reason: .badInput, error: "empty")
        #expect(try await queue.store.spoolJobs().map(\.id) == [id])
        try await queue.store.settleSpoolFolder(id)
        #expect(try await queue.store.spoolJobs().isEmpty)
        let error = await #expect(throws: PostgresError.self) { try await queue.store.retry(id) }
        #expect(error?.hint?.contains("Drop the folder") == true)
    }

    @Test func `a folder whose job was cancelled is not confirmed`() async throws {
        let queue = try await QueueFixture.make()
        let id = try await register(queue)
        #expect(try await queue.store.cancel(id) == .cancelled)
        #expect(try await !queue.store.confirmSpoolFolder(id, folder: "f"))
    }

    @Test func `a folder that got its place after its job was cancelled and settled is to be put away`() async throws {
        let queue = try await QueueFixture.make()
        let id = try await register(queue)
        _ = try await queue.store.cancel(id)
        try await queue.store.settleSpoolFolder(id)
        #expect(try await queue.store.spoolJobs().isEmpty)
        for _ in 0..<2 { #expect(try await !queue.store.confirmSpoolFolder(id, folder: "f")) }
        let open = try await queue.store.spoolJobs()
        #expect(open.map(\.id) == [id] && open.first?.spoolFolder == "f")
        // Once put away it stays so.
        try await queue.store.settleSpoolFolder(id)
        #expect(try await !queue.store.confirmSpoolFolder(id, folder: "f"))
        #expect(try await queue.store.spoolJobs().isEmpty)
    }

    @Test func `args that can't be run leave no row`() async throws {
        let queue = try await QueueFixture.make()
        await #expect(throws: PostgresError.self) {
            _ = try await queue.store.registerSpoolFolder(
                kind: .classify, name: "b", identity: "i", args: JSONDocument(text: #"{"modle": "m"}"#))
        }
        #expect(try await queue.store.jobs().isEmpty)
    }

    @Test func `a dropped folder's name may be as long as 255 escaped bytes, that of another job not`() async throws {
        let queue = try await QueueFixture.make()
        let name = String(repeating: "%E4", count: 255)
        let args = JSONDocument(text: #"{"model": "m"}"#)
        let id = try await queue.store.registerSpoolFolder(kind: .classify, name: name, identity: "i", args: args)
        #expect(try await queue.store.job(id)?.name == name)
        try await queue.database.query("UPDATE shufflenet.jobs SET name = name, priority = 1")
        let error = await #expect(throws: PostgresError.self) {
            try await queue.store.submit(
                JobRequest(
                    kind: .classify, args: JSONDocument(text: #"{"model": "m", "images": "i"}"#),
                    name: String(name.prefix(256))))
        }
        #expect(error?.hint == "Use up to 255 characters without slashes.")
    }
}
