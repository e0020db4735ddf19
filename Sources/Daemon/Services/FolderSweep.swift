import JobQueue
import Logging
import Postgres
import Runs
import Spool
import Support

/// Puts the folders of ended jobs where they belong, and their models, when the daemon that ended them didn't: cancelled
/// while they waited, held back by a rescue, left by a crash between a commit and its moves, or by a disk that was full.
/// Every step can be repeated; what stands in the way of one job keeps none of the others from being put right.
struct FolderSweep: Sendable {
    let queue: JobStore
    let results: ResultStore
    let spool: SpoolStore
    let publisher: ModelPublisher
    let logger: Logger
    /// Jobs this daemon is at work on; their folders are not touched.
    let busy: @Sendable () -> Set<JobID>
    private let told = Told<JobID>()

    /// Throws what the database has against it; what files have is logged.
    func run() async throws {
        for note in publisher.notes where !busy().contains(JobID(note.job)) {
            try await mending(JobID(note.job)) { try await publisher.publish(note) }
        }
        if await spool.absence() == nil {
            for job in try await queue.spoolJobs()
            where job.state.isFinal && job.isOf(spool) && !busy().contains(job.id) {
                try await mending(job.id) { try await settle(job) }
            }
        }
        // The folders of an attempt whose model could not be published stay, and with them the note that it is to be.
        let unpublished = Set(publisher.notes.map { JobID($0.job) })
        for attempt in try results.newestAttempts()
        where !busy().contains(attempt.job) && !unpublished.contains(attempt.job) {
            try await mending(attempt.job) { try await settle(attempt) }
        }
    }

    private func mending(_ job: JobID, _ body: () async throws -> Void) async throws {
        do {
            try await body()
            told.forget(job)
        } catch let error as PostgresError {
            throw error
        } catch {
            guard told.isNews("\(error)", of: job) else { return }
            logger.error(
                "an ended job's folders could not be put in order, it is tried again",
                metadata: ["job": "\(job)", "error": "\(error)"])
        }
    }

    private func settle(_ attempt: Lease) async throws {
        guard let job = try await queue.job(attempt.job) else { return try results.sweep(attempt) }
        guard job.state.isFinal, job.spoolFolder == nil else { return }
        if job.state == .completed, let winner = try await queue.winner(of: job.id) {
            try results.complete(job.id, by: winner)
        } else {
            try results.sweep(attempt)
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
        // A mistake in the arguments, which a dropped folder has from its job.yaml.
        let place = message.contains(#/^\w+ job: /#) ? "in job.yaml at the top of the folder: " : ""
        return "\(place)\(message[start...]); then drop the folder again"
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
