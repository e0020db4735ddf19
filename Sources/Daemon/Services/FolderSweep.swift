import JobQueue
import Logging
import Spool
import Support

/// Puts the folders of ended jobs where they belong when the daemon that ended them didn't: cancelled while they waited,
/// held back by a rescue, or left by a crash between a commit and its moves. Every step can be repeated.
struct FolderSweep: Sendable {
    let queue: JobStore
    let results: ResultStore
    let spool: SpoolStore
    let logger: Logger
    /// Jobs this daemon is at work on; their folders are not touched.
    let busy: @Sendable () -> Set<JobID>

    func run() async throws {
        for job in try await queue.spoolJobs() where job.state.isFinal && job.isOf(spool) && !busy().contains(job.id) {
            try await settle(job)
        }
        for attempt in try results.newestAttempts() where !busy().contains(attempt.job) {
            let id = attempt.job
            guard let job = try await queue.job(id) else {
                try results.sweep(attempt)
                continue
            }
            guard job.state.isFinal, job.spoolFolder == nil else { continue }
            if job.state == .completed, let winner = try await queue.winner(of: id) {
                try results.complete(id, by: winner)
            } else {
                try results.sweep(attempt)
            }
        }
    }

    private func settle(_ job: Job) async throws {
        if let folder = job.spoolFolder {
            let input = spool.layout.input(folder: folder)
            if job.state == .completed {
                let token = try await queue.winner(of: job.id)
                try await spool.complete(job: job.id.rawValue, token: token?.rawValue, folder: folder)
            } else if FileTree.exists(input) {
                try await spool.reject(
                    job: job.id.rawValue, kind: SpoolKind(rawValue: job.kind.rawValue), name: job.name ?? folder,
                    folder: folder, refusal: Refusal(job))
            }
            logger.info(
                "put an ended job's folder in its place", metadata: ["job": "\(job.id)", "state": "\(job.state)"])
        }
        try await queue.settleSpoolFolder(job.id)
    }
}

extension Job {
    /// Whether the job came through this spool and not through another one on the same database.
    func isOf(_ spool: SpoolStore) -> Bool {
        uniqueKey?.hasPrefix("spool:\(spool.identifier):") ?? false
    }
}

extension JobStore {
    /// The token of the attempt that completed a job.
    func winner(of job: JobID) async throws -> LeaseToken? {
        try await attempts(of: job).last { $0.finishedAt != nil && $0.reason == nil }?.token
    }
}

extension Refusal {
    /// Why a job's dropped folder is rejected, in words for the person who dropped it.
    init(_ job: Job) {
        self.init(
            endOf: job.id, reason: job.reason?.rawValue ?? job.state.rawValue,
            message: job.error ?? "the job was \(job.state)")
    }

    /// - Parameter message: a sentence, which by the house's rule ends with what was wanted.
    init(endOf job: JobID, reason: String, message: String) {
        self.init(reason: reason, message: message, wanted: Self.wanted(in: message) ?? Self.remedy(job, reason))
    }

    private static func wanted(in message: String) -> String? {
        guard let start = message.firstRange(of: #/[;,:] wanted /#)?.upperBound else { return nil }
        return "\(message[start...]); then drop the folder again"
    }

    private static func remedy(_ job: JobID, _ reason: String) -> String {
        switch FailureReason(rawValue: reason) {
        case .cancelled: "nothing: somebody cancelled the job; drop the folder again if it is to run after all"
        case .timeout: "a job that ends within its timeout; drop less at a time"
        case .outOfMemory: "a job that fits into its memory; write a smaller batch into job.yaml, drop the folder again"
        case .diskFull: "free space for the results; then drop the folder again"
        default: "an input the job can use: 'shufflenetd logs \(job)' tells more; mend it and drop the folder again"
        }
    }
}
