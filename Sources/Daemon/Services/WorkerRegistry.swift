import JobQueue
import Synchronization

/// The number under which this process is known to the queue. Changes when the queue had declared it dead.
final class WorkerRegistry: Sendable {
    private let worker: Mutex<WorkerID>

    init(_ worker: WorkerID) {
        self.worker = Mutex(worker)
    }

    var current: WorkerID { worker.withLock { $0 } }

    func replace(with worker: WorkerID) { self.worker.withLock { $0 = worker } }
}
