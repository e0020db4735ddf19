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

        @Flag(inversion: .prefixedNo, help: "Commits wait for the disk, as they do in service.")
        var fsync = true

        @Option(
            help: """
                Where the measured daemons keep their files: in memory unless given, because a disk can stall for longer than \
                all that is measured.
                """)
        var folders: String?

        @Option(help: "An empty database to use, as a libpq connection string, instead of a cluster of its own.")
        var database: String?

        @Option(help: "Seconds for which a transaction is held open.")
        var open = 120

        @Option(help: "What to measure; may be given more than once.")
        var only: [Part] = Part.allCases

        enum Part: String, CaseIterable, ExpressibleByArgument { case latency, throughput, open, dispatch, recovery }

        func validate() throws {
            for (flag, value) in [("--jobs", jobs), ("--rounds", rounds), ("--open", open)]
                + claimers.map({ ("--claimers", $0) })
            where value < 1 {
                throw ValidationError("\(flag) is \(value); wanted 1 or more")
            }
        }

        func run() async throws {
            if let database {
                try await measure(try ConnectionSettings(parsing: database))
                return
            }
            let folder = FileManager.default.temporaryDirectory.appending(
                path: "shufflenetd-bench-\(UUID().uuidString)")
            let cluster = PrivateCluster(
                state: folder.path, options: PrivateCluster.Options(fsync: fsync, maxConnections: 200))
            try await cluster.start()
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await measure(cluster.settings))
            } catch {
                outcome = .failure(error)
            }
            try await cluster.stop()
            try FileManager.default.removeItem(at: folder)
            try outcome.get()
        }

        private func measure(_ settings: ConnectionSettings) async throws {
            let benchmark = try await QueueBenchmark(settings, claimers: claimers.max() ?? 8, folder: daemonFolder)
            for part in only {
                switch part {
                case .latency:
                    say("insert_to_claim_ms", spread(try await benchmark.latency(jobs: 1000)))
                case .throughput:
                    for claimers in claimers { try await throughput(benchmark, claimers: claimers) }
                    let crowded = try await benchmark.throughput(jobs: jobs, claimers: 8, waiting: 100_000)
                    say("throughput_100k_waiting", ["claimers": 8, "jobs_per_s": crowded])
                case .open:
                    let (whole, end) = try await benchmark.throughputBesideOpenTransaction(
                        .seconds(open), jobs: open * 7000, claimers: 8)
                    say(
                        "throughput_beside_open_transaction",
                        ["claimers": 8, "seconds": Double(open), "jobs_per_s": whole, "at_the_end_per_s": end])
                case .dispatch:
                    let latencies = try await benchmark.dispatchLatency(
                        jobs: 2000, every: .milliseconds(5), slots: 8)
                    say("no_ops_insert_to_claim_ms", spread(latencies.toClaim))
                    say("no_ops_insert_to_first_line_ms", spread(latencies.toFirstLine))
                case .recovery:
                    say("recovery_same_host_s", ["seconds": try await benchmark.recovery(elsewhere: false)])
                    say("recovery_another_host_s", ["seconds": try await benchmark.recovery(elsewhere: true)])
                }
            }
        }

        private var daemonFolder: URL {
            if let folders { return URL(filePath: folders) }
            let memory = "/dev/shm"
            return access(memory, W_OK) == 0 ? URL(filePath: memory) : FileManager.default.temporaryDirectory
        }

        private func throughput(_ benchmark: QueueBenchmark, claimers: Int) async throws {
            var (bare, ours, apart): ([Double], [Double], [Double]) = ([], [], [])
            // In turn, so that all meet the same machine.
            for _ in 0..<rounds {
                bare.append(try await benchmark.bareStatements(jobs: jobs, claimers: claimers))
                ours.append(try await benchmark.throughput(jobs: jobs, claimers: claimers))
                apart.append(try await benchmark.throughput(jobs: jobs, claimers: claimers, handingOver: false))
            }
            let reference = bare.sorted()[rounds / 2]
            for (what, rates) in [("throughput", ours), ("throughput_claims_apart", apart)] {
                let median = rates.sorted()[rounds / 2]
                say(
                    what,
                    [
                        "claimers": Double(claimers), "jobs_per_s": median, "bare_per_s": reference,
                        "share": median / reference,
                    ])
            }
        }

        private func spread(_ sorted: [Double]) -> [String: Double] {
            guard let last = sorted.last else { return [:] }
            return [
                "p50": sorted[sorted.count / 2], "p99": sorted[sorted.count * 99 / 100], "max": last,
                "n": Double(sorted.count),
            ]
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
