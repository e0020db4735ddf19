internal import Dispatch

/// An actor's executor that is one dispatch queue, so that blocking C in the actor blocks a thread of its own.
final class QueueExecutor: SerialExecutor {
    let queue: DispatchQueue

    init(label: String) { queue = DispatchQueue(label: label) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    /// Lets `assumeIsolated` succeed in the queue's own blocks, such as those of a dispatch source.
    func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }
}
