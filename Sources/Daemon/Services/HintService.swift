import JobQueue
import Logging
import Postgres
import ServiceLifecycle

/// Brings the queue's hints, and its poll timer, to the dispatcher.
struct HintService: Service {
    let listener: QueueListener
    let queue: JobStore
    let dispatch: DispatchService
    let logger: Logger

    func run() async throws {
        var interrupted = false
        for await hint in listener.hints().cancelOnGracefulShutdown() {
            switch hint {
            case .work, .poll:
                dispatch.lookForWork()
            case .listening:
                if interrupted { logger.info("notifications come again") }
                interrupted = false
                dispatch.lookForWork()
            case .cancel(let job):
                await cancel(job)
            case .interrupted(let error):
                // Said once: the listener tries again by itself, and polling goes on.
                if !interrupted { logger.warning("no notifications, polling goes on", metadata: ["error": "\(error)"]) }
                interrupted = true
            }
        }
    }

    /// Anybody who may connect can send a notification; whether a cancel was asked for is in the job's row. If that can't be
    /// read now, the next heartbeat tells.
    private func cancel(_ job: JobID) async {
        guard dispatch.leases.contains(where: { $0.job == job }) else { return }
        if let row = try? await queue.job(job), row.cancelRequested { dispatch.cancelRequested(job) }
    }
}
