import Foundation
import JobQueue
import Runs

/// A job as the commands show it: a JSON object whose keys are the columns of the table, or texts.
struct JobReport: Encodable {
    let id: Int64
    let kind: String
    let name: String?
    let queue: String
    let state: String
    let reason: String?
    let error: String?
    let args: JSONValue
    let priority: Int
    let runAt: Date
    let attempt: Int
    let maxAttempts: Int
    let crashCount: Int
    let preemptCount: Int
    let cancelRequested: Bool
    let progress: Double
    let progressMessage: String?
    let result: JSONValue?
    let outputPath: String?
    let scheduleName: String?
    let submittedBy: String
    let createdAt: Date
    let startedAt: Date?
    let finishedAt: Date?

    init(_ job: Job) {
        id = job.id.rawValue
        kind = job.kind.rawValue
        name = job.name
        queue = job.queue
        state = job.state.rawValue
        reason = job.reason?.rawValue
        error = job.error
        args = (try? job.args.decode()) ?? .null
        priority = job.priority
        runAt = job.runAt
        attempt = job.attempt
        maxAttempts = job.maxAttempts
        crashCount = job.crashCount
        preemptCount = job.preemptCount
        cancelRequested = job.cancelRequested
        progress = job.progress
        progressMessage = job.progressMessage
        result = job.result.flatMap { try? $0.decode() }
        outputPath = job.outputPath
        scheduleName = job.scheduleName
        submittedBy = job.submittedBy
        createdAt = job.createdAt
        startedAt = job.startedAt
        finishedAt = job.finishedAt
    }

    /// The value as lines of JSON with keys in snake case, dates in ISO 8601.
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// Local time, to the second.
    static func time(_ date: Date?) -> String {
        guard let date else { return "-" }
        let style = Date.ISO8601FormatStyle(timeZone: .current).year().month().day()
            .dateTimeSeparator(.space).time(includingFractionalSeconds: false)
        return date.formatted(style)
    }

    /// What a person wants to know beside the state: how far, or why not.
    static func remark(_ job: Job) -> String {
        switch job.state {
        case .running:
            let asked = job.cancelRequested ? "cancelling; " : ""
            return "\(asked)\(Int(job.progress * 100)) %\(job.progressMessage.map { ", \($0)" } ?? "")"
        case .completed: return [job.progressMessage, job.outputPath].compactMap { $0 }.joined(separator: "; ")
        case .available where job.runAt > Date(): return "not before \(time(job.runAt))"
        case .available, .held, .failed, .cancelled:
            return [job.reason?.rawValue, job.error].compactMap { $0 }.joined(separator: ": ")
        }
    }
}
