import JobQueue
import Logging
import Postgres
import Spool

/// Makes rows of dropped folders: the spool's wishes in the queue's words.
struct SpoolRegistrar: FolderRegistrar {
    let queue: JobStore
    /// The queue of this spool alone: a daemon with another spool on the same database must not claim its jobs.
    let queueName: String
    let logger: Logger
    let placed: @Sendable () -> Void

    func register(_ folder: AcceptedFolder) async throws -> Int64 {
        guard let kind = JobKind(rawValue: folder.kind.rawValue) else {
            throw Refusal(
                .unknownJob, "there is no kind of job '\(folder.kind)'",
                wanted: JobKind.allCases.map(\.rawValue).joined(separator: ", "))
        }
        do {
            let job = try await queue.registerSpoolFolder(
                kind: kind, name: folder.name, identity: folder.uniqueKey,
                args: JSONDocument(text: folder.arguments), queue: queueName)
            // The spool says so once more when the folder has moved.
            logger.debug(
                "registered a folder",
                metadata: [
                    "job": "\(job)", "kind": "\(kind)", "folder": "\(folder.name)", "files": "\(folder.files)",
                    "sign": "\(folder.sign.rawValue)",
                ])
            return job.rawValue
        } catch let error as PostgresError where ["22", "23"].contains(error.sqlState.errorClass) {
            // Data exceptions and the schema's checks speak about what the person wrote in job.yaml; trying again would not
            // help. Whatever else the server has (no space, a lock, read-only for the moment) is no fault of the folder.
            throw Refusal(
                .badSpecification, "job.yaml was not accepted: \(error.message)",
                wanted: error.hint ?? "keys and values of a \(kind) job")
        }
    }

    func place(job: Int64, folder: String) async throws {
        try await queue.confirmSpoolFolder(JobID(job), folder: folder)
        placed()
    }

    func abandon(job: Int64, refusal: Refusal) async throws {
        logger.warning("a folder went away while it was taken in", metadata: ["job": "\(job)", "reason": "\(refusal)"])
        _ = try await queue.cancel(JobID(job))
    }
}
