import JobQueue
import ServiceLifecycle

/// Tells systemd that the daemon is ready, how it stands, and that it ends; feeds the watchdog.
struct StatusService: Service {
    let notifier: SystemdNotifier
    let dispatch: DispatchService
    let slots: Int
    let place: String

    func run() async throws {
        notifier.ready(status: status)
        let interval = min(notifier.watchdogInterval ?? .seconds(5), .seconds(5))
        await withGracefulShutdownHandler {
            await cancelWhenGracefulShutdown {
                var told = status
                while !Task.isCancelled {
                    try? await Task.sleep(for: interval)
                    // The status is read under the dispatcher's lock: a daemon that hangs there is not alive.
                    let now = status
                    notifier.watchdog()
                    if now != told { notifier.status(now) }
                    told = now
                }
            }
        } onGracefulShutdown: {
            notifier.stopping(status: "draining")
        }
    }

    private var status: String {
        let running = dispatch.running
        return running == 0 ? "idle, \(slots) slots; \(place)" : "\(running) of \(slots) slots at work; \(place)"
    }
}
