import ArgumentParser
import Foundation
import JobQueue

/// Prints the log of a job's attempt.
struct Logs: QueueCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Prints the log of a job's last attempt.")

    @Argument(help: "The job's number.")
    var job: JobID

    @Option(help: "Which attempt, instead of the last.")
    var attempt: Int?

    @Flag(name: .shortAndLong, help: "Go on printing until the job has ended.")
    var follow = false

    @OptionGroup var place: PlaceOptions

    func run(_ queue: JobStore) async throws {
        guard try await queue.job(job) != nil else {
            complain("there is no job \(job); list them with: shufflenetd jobs")
            throw ExitCode.failure
        }
        let attempts = try await queue.attempts(of: job).filter { attempt == nil || $0.attempt == attempt }
        guard let path = attempts.last(where: { $0.logPath != nil })?.logPath else {
            complain("job \(job) has no such log yet")
            throw ExitCode.failure
        }
        guard let file = FileHandle(forReadingAtPath: path) else {
            complain("the log '\(path)' cannot be read here; it lies on the host that ran the job")
            throw ExitCode.failure
        }
        while true {
            // Looked at before reading, so that the last lines are printed too.
            var isRunning = false
            if follow { isRunning = try await queue.job(job)?.state == .running }
            while let chunk = try file.read(upToCount: 1 << 16), !chunk.isEmpty {
                try FileHandle.standardOutput.write(contentsOf: chunk)
            }
            if !isRunning { return }
            try await Task.sleep(for: .milliseconds(300))
        }
    }
}
