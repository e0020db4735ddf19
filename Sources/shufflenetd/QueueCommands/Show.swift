import ArgumentParser
import Foundation
import JobQueue

/// Shows all that is known of one job.
struct Show: QueueCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows a job, its attempts and its events.")

    @Argument(help: "The job's number.")
    var job: JobID

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var place: PlaceOptions

    private struct Report: Encodable {
        struct Attempt: Encodable {
            var attempt: Int
            var startedAt: Date
            var finishedAt: Date?
            var reason: String?
            var error: String?
            var logPath: String?
            var cpuSeconds: Double?
            var peakMemoryBytes: Int64?
        }
        struct Event: Encodable {
            var at: Date
            var from: String?
            var to: String
            var reason: String?
            var message: String?
            var actor: String
        }
        var job: JobReport
        var attempts: [Attempt]
        var events: [Event]
    }

    func run(_ queue: JobStore) async throws {
        guard let found = try await queue.job(job) else {
            complain("there is no job \(job); list them with: shufflenetd jobs")
            throw ExitCode.failure
        }
        let report = Report(
            job: JobReport(found),
            attempts: try await queue.attempts(of: job).map {
                .init(
                    attempt: $0.attempt, startedAt: $0.startedAt, finishedAt: $0.finishedAt,
                    reason: $0.reason?.rawValue,
                    error: $0.error, logPath: $0.logPath, cpuSeconds: $0.cpuTime.map { $0 / .seconds(1) },
                    peakMemoryBytes: $0.peakMemoryBytes)
            },
            events: try await queue.events(of: job).map {
                .init(
                    at: $0.at, from: $0.from?.rawValue, to: $0.to.rawValue, reason: $0.reason?.rawValue,
                    message: $0.message, actor: $0.actor)
            })
        print(json ? try JobReport.json(report) : text(found, report))
    }

    private func text(_ job: Job, _ report: Report) -> String {
        var lines = ["job \(job.id): \(job.kind), \(job.state)"]
        let remark = JobReport.remark(job)
        if !remark.isEmpty { lines[0] += " (\(remark))" }
        if let name = job.name { lines.append("name: \(name)") }
        lines.append("arguments: \(job.args)")
        lines.append("submitted by \(job.submittedBy) at \(JobReport.time(job.createdAt))")
        if let result = job.result { lines.append("result: \(result)") }
        if !report.attempts.isEmpty { lines += ["", attempts(report.attempts)] }
        var table = TextTable("AT", "FROM", "TO", "REASON", "MESSAGE")
        for event in report.events {
            table.add(
                JobReport.time(event.at), event.from ?? "", event.to, event.reason ?? "", event.message ?? "")
        }
        lines += ["", table.text]
        return lines.joined(separator: "\n")
    }

    private func attempts(_ attempts: [Report.Attempt]) -> String {
        var table = TextTable("ATTEMPT", "STARTED", "FINISHED", "CPU S", "PEAK MIB", "END", "LOG")
        for attempt in attempts {
            table.add(
                "\(attempt.attempt)", JobReport.time(attempt.startedAt), JobReport.time(attempt.finishedAt),
                attempt.cpuSeconds.map { "\(Int($0.rounded()))" } ?? "-",
                attempt.peakMemoryBytes.map { "\($0 >> 20)" } ?? "-",
                attempt.finishedAt == nil ? "" : attempt.reason ?? "completed", attempt.logPath ?? "")
        }
        return table.text
    }
}
