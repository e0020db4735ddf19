import ArgumentParser
import JobQueue

/// Lists jobs.
struct Jobs: QueueCommand {
    static let configuration = CommandConfiguration(commandName: "jobs", abstract: "Lists jobs, newest first.")

    @Option(help: "Only jobs in this state; may be given more than once.")
    var status: [JobState] = []

    @Option(help: "Only jobs of this kind; may be given more than once.")
    var kind: [JobKind] = []

    @Option(help: "How many at most.")
    var limit = 30

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var place: PlaceOptions

    func run(_ queue: JobStore) async throws {
        let jobs = try await queue.jobs(
            states: status.isEmpty ? JobState.allCases : status, kinds: kind.isEmpty ? JobKind.allCases : kind,
            limit: limit)
        if json {
            print(try JobReport.json(jobs.map(JobReport.init)))
            return
        }
        print(TextTable.jobs(jobs))
    }
}

extension TextTable {
    /// Jobs, a line each, in the order given.
    static func jobs(_ jobs: [Job]) -> String {
        var table = TextTable("ID", "KIND", "NAME", "STATE", "ATTEMPT", "CREATED", "REMARK")
        for job in jobs {
            table.add(
                "\(job.id)", job.kind.rawValue, job.name ?? "", job.state.rawValue, "\(job.attempt)",
                JobReport.time(job.createdAt), String(JobReport.remark(job).prefix(100)))
        }
        return table.text
    }
}
