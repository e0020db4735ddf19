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
    /// being made (a deadlock, a lock that is held for long) does not cost the completion, which is made alone then.
    public func complete(
        _ lease: Lease, result: JSONDocument?, outputPath: String?, usage: AttemptUsage = AttemptUsage(),
        claiming claim: NextClaim?
    ) async throws -> Succession {
        guard let claim else {
            let isCompleted = try await complete(lease, result: result, outputPath: outputPath, usage: usage)
            return Succession(isCompleted: isCompleted, next: nil)
        }
        let completion = Completion(lease: lease, result: result, outputPath: outputPath, usage: usage)
        let parameters: [any PostgresParameter] = [claim.worker.rawValue, claim.queues]
        do {
            let rows = try await database.query(
                claim.place == nil ? Self.succession : Self.successionBehindPlace,
                parameters + (claim.place?.parameters ?? []) + completion.parameters)
            guard let row = rows.first else { throw PostgresError(.noData, "a completion has no answer") }
            let hasNext = try row.decodeIfPresent("id", as: Int64.self) != nil
            return Succession(
                isCompleted: try row.decode("is_completed"), next: hasNext ? try ClaimedJob(row) : nil)
        } catch let error as PostgresError where !error.isConnectionLost {
            logger.warning("a completion could not be made together with a claim", metadata: ["error": "\(error)"])
            return try await complete(
                lease, result: result, outputPath: outputPath, usage: usage, claiming: nil)
        }
    }

    private static let succession = succession([], claimParameters: 2)
    private static let successionBehindPlace = succession(.behindPlace, claimParameters: 5)

    /// Always one row, with NULL for what is not known of a job that was not found.
    private static func succession(_ options: ClaimStatement.Options, claimParameters: Int) -> String {
        """
        WITH completed AS (
            \(Completion.statement(after: claimParameters))
            RETURNING id
        ), next AS (
            \(ClaimStatement.taking(1, options.union(.afterCompletion)))
        )
        SELECT EXISTS (SELECT FROM completed) AS is_completed, next.*
        FROM (VALUES (1)) AS always LEFT JOIN next ON true
        """
    }
}
