import Foundation
import JobQueue
import Logging
import Support

/// Forgets jobs that ended long ago: their rows, then the log files of jobs that have no row any more, then, if that is
/// wanted, their results. What was dropped into the spool, and what came of it in `done/`, is never touched.
struct Retention: Sendable {
    let settings: DaemonConfiguration.RetentionSettings
    let roots: DaemonConfiguration.Roots
    let queue: JobStore
    let logger: Logger

    func run() async throws {
        guard let age = settings.jobs else { return }
        var forgotten = 0
        while case let count = try await queue.forgetEnded(olderThan: age), count > 0 { forgotten += count }
        if forgotten > 0 { logger.info("forgot jobs that ended long ago", metadata: ["jobs": "\(forgotten)"]) }
        try await sweep(roots.logs, olderThan: age) { $0.hasSuffix(".log") }
        if settings.results {
            try await sweep(roots.results, olderThan: age) { name in
                !name.contains(".") && Self.isResult("\(roots.results)/\(name)")
            }
        }
    }

    /// Whether a run wrote the folder, and not a person who called it by a number as well.
    private static func isResult(_ folder: String) -> Bool {
        ["best.ckpt", "last.ckpt", "results.csv", "eval.json", "predictions.csv"]
            .contains { FileTree.exists("\(folder)/\($0)") }
    }

    /// Removes what is named after a job without a row. Only what is old: a row may have been made a moment ago.
    private func sweep(_ folder: String, olderThan age: Duration, where isOurs: (String) -> Bool) async throws {
        var entries: [JobID: [String]] = [:]
        for name in FileTree.names(in: folder) where isOurs(name) {
            guard let id = name.split(separator: ".").first.flatMap({ Int64($0) }) else { continue }
            let path = "\(folder)/\(name)"
            let changed = try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
            guard let changed, Date.now.timeIntervalSince(changed) > age / .seconds(1) else { continue }
            entries[JobID(id), default: []].append(path)
        }
        guard !entries.isEmpty else { return }
        for id in try await queue.missing(among: Array(entries.keys)) {
            for path in entries[id] ?? [] { try FileTree.remove(path) }
        }
    }
}
