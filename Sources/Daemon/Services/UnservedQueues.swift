import JobQueue
import Logging
import Synchronization

/// Tells of queues with jobs that no running daemon will claim, each once: whoever put them there waits in vain.
final class UnservedQueues: Sendable {
    private let queue: JobStore
    private let logger: Logger
    private let told = Mutex<Set<String>>([])

    init(queue: JobStore, logger: Logger) {
        self.queue = queue
        self.logger = logger
    }

    func look() async throws {
        let found = try await queue.unservedQueues()
        let former = told.withLock { told in
            defer { told = Set(found.map(\.queue)) }
            return told
        }
        for (name, jobs) in found where !former.contains(name) {
            logger.warning(
                "jobs wait in a queue that no running daemon serves", metadata: ["queue": "\(name)", "jobs": "\(jobs)"])
        }
    }
}
