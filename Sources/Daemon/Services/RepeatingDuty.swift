import Logging
import ServiceLifecycle
import Support

/// One maintenance duty: the same thing again and again, whatever goes wrong, until the daemon shuts down. Duties look at
/// files, so each has a queue where it may block.
struct RepeatingDuty: Service {
    let name: String
    let interval: Duration
    let logger: Logger
    let runOnce: @Sendable () async throws -> Void

    func run() async throws {
        let executor = BlockingExecutor(label: "shufflenetd.duty")
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await withTaskExecutorPreference(executor) { try await runOnce() }
                } catch is CancellationError {
                    return
                } catch {
                    if Task.isCancelled { return }
                    logger.warning("\(name) failed, it is tried again", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: interval * Double.random(in: 0.9...1.1))
            }
        }
    }
}
