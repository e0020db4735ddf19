import ArgumentParser
import Foundation
import JobQueue

/// Puts a job into the queue and prints its number.
struct Submit: QueueCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Puts a job into the queue and prints its number.",
        discussion: "For instance: shufflenetd submit train dataset=flowers epochs=5 publish_as=flowers")

    @Argument(help: "train, evaluate or classify.")
    var kind: JobKind

    @Argument(
        help: ArgumentHelp(
            "Arguments of the job; values are JSON where they can be, else texts.", valueName: "key=value"))
    var arguments: [String] = []

    @Option(help: "Arguments as one JSON object; those given as key=value stand above it.")
    var args: String?

    @Option(help: "What to call the job.")
    var name: String?

    @Option(help: "-100 to 100, higher first.")
    var priority = 0

    @Option(help: "Seconds after which the job is stopped.")
    var timeout: Int?

    @Option(help: "At most one unfinished job has this key; the number of that one is printed instead.")
    var uniqueKey: String?

    @Option(help: "At most one job with this key runs at a time; the others wait.")
    var concurrencyKey: String?

    @Option(help: "A job that must complete first; may be given more than once.")
    var after: [JobID] = []

    @Option(help: "Threads of the job's process, instead of an equal share of the daemon's.")
    var cores: Int?

    @Option(help: "MiB of memory past which the job is killed.")
    var memory: Int64?

    @Flag(help: "Wait until the job has ended; the exit status tells whether it completed.")
    var wait = false

    @OptionGroup var place: PlaceOptions

    func run(_ queue: JobStore) async throws {
        let document = try JSONDocument(encoding: try JobArguments.parse(args, arguments))
        let job = try await queue.submit(
            JobRequest(
                kind: kind, args: document, name: name, priority: priority,
                timeout: timeout.map { .seconds($0) }, uniqueKey: uniqueKey,
                concurrencyKey: concurrencyKey, after: after, cores: cores, memoryLimit: memory.map { $0 << 20 }))
        print(job)
        if wait { try await waitForEnd(of: job, queue) }
    }

    private func waitForEnd(of id: JobID, _ queue: JobStore) async throws {
        while let job = try await queue.job(id) {
            if job.state.isFinal || job.state == .held {
                FileHandle.standardError.write(Data("\(job.state)\t\(JobReport.remark(job))\n".utf8))
                if job.state == .completed { return }
                throw ExitCode.failure
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        complain("job \(id) is gone")
        throw ExitCode.failure
    }
}
