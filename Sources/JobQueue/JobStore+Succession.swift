internal import Logging
internal import Postgres

/// The claim that goes with a completion.
public struct NextClaim: Sendable {
    public var worker: WorkerID
    public var queues: [String]
    /// See `JobStore.claimAvailable`.
    public var place: QueuePlace?

    public init(for worker: WorkerID, queues: [String] = ["default"], behind place: QueuePlace? = nil) {
        self.worker = worker
        self.queues = queues
        self.place = place
    }
}

/// What became of a completion and the claim that went with it.
public struct Succession: Sendable {
    /// `false`: somebody else has the job. The claim is valid all the same.
    public var isCompleted: Bool
    public var next: ClaimedJob?
}

extension JobStore {
    /// `complete`, and a claim of one job in the same transaction: a slot that goes from one job to the next waits for the
    /// disk once and not twice.
    ///
    /// The claim is the first statement of `claimAvailable`, only behind its place if it has one, and takes nothing if the
    /// next job has a concurrency key: that there is no next job does not mean that none is due. Whatever keeps it from
    /// being made does not cost the completion, which is made alone then.
    public func complete(
        _ lease: Lease, result: JSONDocument?, outputPath: String?, usage: AttemptUsage = AttemptUsage(),
        claiming claim: NextClaim?
    ) async throws -> Succession {
        guard let claim else {
            let isCompleted = try await complete(lease, result: result, outputPath: outputPath, usage: usage)
            return Succession(isCompleted: isCompleted, next: nil)
        }
        let completion = Completion(lease: lease, result: result, outputPath: outputPath, usage: usage)
        let answers: [Rows]
        do {
            // In this order. A claim can lock a job that another one has taken since the statement's snapshot, and keeps it
            // locked to the end of the transaction; two slots that claimed first and then completed could each wait for what
            // the other has locked. A claim itself waits for nobody.
            answers = try await database.query([
                completion.statement,
                ClaimStatement.taking(1, [claim.worker.rawValue, claim.queues], behind: claim.place),
            ])
        } catch let error as PostgresError where !error.isConnectionLost {
            logger.warning("a completion could not be made together with a claim", metadata: ["error": "\(error)"])
            return try await complete(lease, result: result, outputPath: outputPath, usage: usage, claiming: nil)
        }
        return Succession(isCompleted: answers[0].affected == 1, next: next(answers[1]))
    }

    /// The completion stands, so what can't be read is no error of it; nobody will know of that lease, and it is given back
    /// at a heartbeat.
    private func next(_ rows: Rows) -> ClaimedJob? {
        do {
            return try rows.first.map(ClaimedJob.init)
        } catch {
            logger.warning("a claimed job can't be read", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
