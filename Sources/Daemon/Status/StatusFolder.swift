import Foundation
import Glibc
import JobQueue
import KernelSets
import Logging
import Pages
import ServiceLifecycle
import Support

/// Keeps two files up to date for those who watch the daemon: `index.html`, and `metrics.prom` for the textfile collector
/// of Prometheus' node exporter. Files, so that nobody has to be listened to.
struct StatusFolder: Service {
    let configuration: DaemonConfiguration
    let queue: JobStore
    let dispatch: DispatchService
    let logger: Logger
    let started = Date()

    func run() async throws {
        let duty = RepeatingDuty(
            name: "the writing of the status", interval: configuration.status.interval, logger: logger, runOnce: write)
        try await duty.run()
        // Figures of a daemon that is gone must not be taken for those of one that lives.
        for name in [Self.page, Self.metrics] { unlink("\(configuration.status.folder)/\(name)") }
    }

    private static let page = "index.html"
    private static let metrics = "metrics.prom"

    @Sendable private func write() async throws {
        let figures = await figures()
        let page = StatusPage.template.render(StatusPage(figures, interval: configuration.status.interval))
        try put(page, Self.page)
        try put(DaemonMetrics.text(of: figures), Self.metrics)
    }

    private func figures() async -> DaemonFigures {
        var figures = DaemonFigures(
            now: Date(), started: started, version: DaemonRuntime.version,
            instructionSet: InstructionSet.current.rawValue, slots: configuration.workers,
            busySlots: dispatch.running, isDraining: dispatch.isDraining, silence: dispatch.silence,
            attempts: dispatch.tally.all,
            disks: configuration.disks.compactMap { name, folder in
                FileTree.freeBytes(folder).map { .init(name: name, freeBytes: $0) }
            })
        do {
            figures.queue = try await queue.figures()
        } catch {
            figures.trouble = "\(error)"
        }
        return figures
    }

    private func put(_ text: String, _ name: String) throws {
        try AtomicFile.write(Array(text.utf8), to: "\(configuration.status.folder)/\(name)", durably: false)
    }
}
