import Dispatch

/// Runs an actor on a queue of its own, so that its blocking calls never hold a thread of the cooperative pool.
///
/// Dispatch's own `DispatchSerialQueue` does the same, but is not in swift-corelibs-libdispatch.
public final class BlockingExecutor: SerialExecutor {
    private let queue: DispatchQueue

    public init(label: String) {
        queue = DispatchQueue(label: label)
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }
}
