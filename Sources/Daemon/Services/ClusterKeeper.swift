import Logging
import Postgres
import ServiceLifecycle

/// Keeps the private cluster running, and stops it after everything that uses it has ended.
struct ClusterKeeper: Service {
    let cluster: PrivateCluster
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(2))
                if Task.isCancelled || cluster.isRunning { continue }
                logger.error("the private PostgreSQL is not running; it is started again")
                do {
                    try await cluster.start()
                } catch {
                    logger.error("the private PostgreSQL could not be started", metadata: ["error": "\(error)"])
                }
            }
        }
        // In a task of its own: this one may be cancelled.
        try await Task {
            try await cluster.stop()
            logger.info("stopped the private PostgreSQL")
        }.value
    }
}
