import Dispatch

/// Runs an actor, or a task that prefers it, on a queue of its own, so that blocking calls never hold a thread of the
/// cooperative pool.
///
/// Dispatch's own `DispatchSerialQueue` does the same for actors, but is not in swift-corelibs-libdispatch. A serial queue
/// and not a concurrent one, which would share its few threads with the cooperative pool.
public final class BlockingExecutor: SerialExecutor, TaskExecutor {
    private let queue: DispatchQueue

    public init(label: String) {
        queue = DispatchQueue(label: label)
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let (serial, task) = (asUnownedSerialExecutor(), asUnownedTaskExecutor())
        queue.async { job.runSynchronously(isolatedTo: serial, taskExecutor: task) }
    }
}
