import ArgumentParser
import Daemon
import Foundation
import Postgres

extension Bench {
    /// On a cluster of its own, which is removed afterwards.
    struct Queue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "queue", abstract: "Claims, completions and latency of the queue, beside bare statements.")

        @Option(help: "Jobs a round.")
        var jobs = 16_000

        @Option(help: "Claimers at a time; may be given more than once.")
        var claimers: [Int] = [8, 64]

        @Option(help: "Rounds, of which the median counts.")
        var rounds = 3

        @Flag(help: "Wait for the disk at every commit; otherwise it is the processor's work that is measured.")
        var fsync = false

        func run() async throws {
            let folder = FileManager.default.temporaryDirectory.appending(
                path: "shufflenetd-bench-\(UUID().uuidString)")
            let cluster = PrivateCluster(
                state: folder.path, options: PrivateCluster.Options(fsync: fsync, maxConnections: 200))
            try await cluster.start()
            do {
                try await measure(cluster.settings)
            } catch {
                complain("\(error)")
            }
            try await cluster.stop()
            try FileManager.default.removeItem(at: folder)
        }

        private func measure(_ settings: ConnectionSettings) async throws {
            let benchmark = try await QueueBenchmark(settings, claimers: claimers.max() ?? 8)
            let latencies = try await benchmark.latency(jobs: 500)
            say("latency_ms", ["p50": latencies[latencies.count / 2], "p99": latencies[latencies.count * 99 / 100]])
            for claimers in claimers {
                var (ours, bare): ([Double], [Double]) = ([], [])
                // In turn, so that both meet the same machine.
                for _ in 0..<rounds {
                    bare.append(try await benchmark.bareStatements(jobs: jobs, claimers: claimers))
                    ours.append(try await benchmark.throughput(jobs: jobs, claimers: claimers))
                }
                let (median, reference) = (ours.sorted()[rounds / 2], bare.sorted()[rounds / 2])
                say(
                    "throughput",
                    [
                        "claimers": Double(claimers), "jobs_per_s": median, "bare_per_s": reference,
                        "share": median / reference,
                    ])
            }
            let crowded = try await benchmark.throughput(jobs: jobs, claimers: 8, waiting: 100_000)
            say("throughput_100k_waiting", ["claimers": 8, "jobs_per_s": crowded])
        }

        private func say(_ what: String, _ figures: [String: Double]) {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            let rounded = figures.mapValues { ($0 * 100).rounded() / 100 }
            let figure = QueueBenchmark.Figure(what: what, figures: rounded)
            if let line = try? encoder.encode(figure) { print(String(decoding: line, as: UTF8.self)) }
        }
    }
}
