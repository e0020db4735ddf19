import JobQueue
import Logging
import Spool

/// Puts rows and folders in agreement at start, before anything is claimed: what a crash left half done is finished.
struct Reconciliation: Sendable {
    let queue: JobStore
    let spool: SpoolStore
    let registrar: SpoolRegistrar
    let sweep: FolderSweep
    let logger: Logger

    func run() async throws {
        try await reconcileSpool()
        try await sweep.run()
    }

    private func reconcileSpool() async throws {
        let report = try await spool.reconcile { numbers in
            var rows: [JobID: Job] = [:]
            for job in try await queue.spoolJobs() { rows[job.id] = job }
            for number in numbers where rows[JobID(number)] == nil {
                if let job = try await queue.job(JobID(number)) { rows[job.id] = job }
            }
            var answer: [SpoolRow] = []
            for job in rows.values {
                answer.append(
                    SpoolRow(job, completedBy: job.state == .completed ? try await queue.winner(of: job.id) : nil))
            }
            return answer
        }
        for warning in report.warnings { logger.warning("spool: \(warning)") }
        for (job, folder) in report.toPlace { try await registrar.place(job: job, folder: folder) }
        for (job, refusal) in report.lost { try await registrar.abandon(job: job, refusal: refusal) }
        if !report.finished.isEmpty {
            logger.info("finished what a crash had left", metadata: ["jobs": "\(report.finished)"])
        }
    }
}

extension SpoolRow {
    /// What the spool needs to know of a job's row.
    init(_ job: Job, completedBy winner: LeaseToken?) {
        let state: State =
            switch job.state {
            case .available, .running, .held: .unfinished
            case .completed: .completed
            case .failed, .cancelled: .failed(Refusal(job))
            }
        self.init(
            job: job.id.rawValue, kind: SpoolKind(rawValue: job.kind.rawValue), name: job.name ?? "\(job.id)",
            uniqueKey: job.uniqueKey ?? "", folder: job.spoolFolder, state: state,
            token: winner?.rawValue)
    }
}
