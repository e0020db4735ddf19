import Foundation
import JobQueue
import Logging
import Postgres
import Runs
import Spool
import Support
import Synchronization

/// Carries a settlement out: files under their final name, then ONE commit, then what may only follow a commit.
///
/// Every step can be repeated, and what a crash leaves between two of them is made good by `FolderSweep`.
struct AttemptSettler: Sendable {
    let configuration: DaemonConfiguration
    let queue: JobStore
    let results: ResultStore
    let spool: SpoolStore
    let logger: Logger
    /// Ends the waiting for a database that does not answer.
    let impatience: Impatience

    /// Whether the lease may still be ours in the database although nothing more will be written about it.
    enum Ending: Sendable {
        case written
        case givenUp
    }

    /// What a settlement asks of the dispatcher.
    struct Desk: Sendable {
        let mayPublish: @Sendable () -> Bool
        /// Runs a completion together with the claim for its slot, if one is wanted, and looks after what that found.
        let handOver: @Sendable (_ completion: @Sendable (NextClaim?) async throws -> Succession) async throws -> Bool
    }

    func settle(
        _ claim: ClaimedJob, _ settlement: Dispatcher.Settlement, usage: AttemptUsage, at desk: Desk
    ) async -> Ending {
        do {
            switch settlement {
            case .publish(let result):
                return try await publish(claim, result, usage, desk)
            case .fail(let reason, let message):
                return try await fail(claim, reason, message, usage)
            case .cancel:
                if try await commit(claim.lease, { try await queue.cancelRunning(claim.lease, usage: usage) }) {
                    logger.info("cancelled", metadata: ["job": "\(claim.id)"])
                    await afterEnd(claim, reason: .cancelled, "the job was cancelled")
                }
            case .releaseForSpool:
                try await releaseForSpool(claim, usage)
            case .release:
                if try await commit(claim.lease, { try await queue.release(claim.lease, usage: usage) }) {
                    logger.info("given back, to go on later", metadata: ["job": "\(claim.id)"])
                }
                if let job = try? await queue.job(claim.id), job.state == .cancelled {
                    await afterEnd(claim, reason: .cancelled, "the job was cancelled")
                }
            case .abandon:
                logger.warning("abandoned: the lease can no longer be trusted", metadata: ["lease": "\(claim.lease)"])
            }
            return .written
        } catch {
            logger.error(
                "the end of an attempt could not be written",
                metadata: ["lease": "\(claim.lease)", "error": "\(error)"])
            return .givenUp
        }
    }

    private func publish(
        _ claim: ClaimedJob, _ result: RunResult, _ usage: AttemptUsage, _ desk: Desk
    ) async throws -> Ending {
        let lease = claim.lease
        // The database is asked as well: the fence trusts clocks, this trusts the row.
        guard try await persistently({ try await queue.holds(lease) }), desk.mayPublish() else {
            logger.warning("not published: the lease was lost", metadata: ["lease": "\(lease)"])
            return .givenUp
        }
        let output: String
        let publication: ModelPublication?
        do {
            publication = try modelPublication(claim, result)
            try publication?.note(in: results.workRoot)
            if let folder = claim.job.spoolFolder {
                let work = spool.layout.workFolder(job: lease.job.rawValue, token: lease.token.rawValue)
                if FileTree.exists(work) { try FileTree.flush(work) }
                output = try await spool.publish(job: lease.job.rawValue, token: lease.token.rawValue, folder: folder)
            } else {
                let published = try results.publish(lease)
                output = published.path
                if let kept = published.keptAside {
                    logger.warning(
                        "earlier results lay under this job's number (its shards were retried, or a database restored); they are kept",
                        metadata: ["job": "\(claim.id)", "folder": "\(kept)"])
                }
            }
        } catch {
            if claim.job.spoolFolder != nil, let absence = await spool.absence() {
                logger.warning(
                    "not published, and not charged: the spool is away",
                    metadata: ["lease": "\(lease)", "error": "\(absence)"])
                try await releaseForSpool(claim, usage)
                return .written
            }
            let reason: FailureReason = AttemptRunner.reason(of: error) == .diskFull ? .diskFull : .error
            return try await fail(claim, reason, "the results could not be published: \(error)", usage)
        }
        let document = try JSONDocument(encoding: result)
        let isOurs = try await commit(lease) {
            try await desk.handOver { next in
                try await queue.complete(lease, result: document, outputPath: output, usage: usage, claiming: next)
            }
        }
        if isOurs {
            await afterCompletion(claim, output, publication)
        } else {
            logger.warning("withdrawn: somebody else has the job", metadata: ["lease": "\(lease)"])
            await withdraw(claim, publication)
        }
        return .written
    }

    private func releaseForSpool(_ claim: ClaimedJob, _ usage: AttemptUsage) async throws {
        _ = try await commit(claim.lease) {
            try await queue.release(
                claim.lease, because: "the spool was away; nothing is charged, and it runs again when that is back",
                usage: usage)
        }
    }

    private func fail(
        _ claim: ClaimedJob, _ reason: FailureReason, _ message: String, _ usage: AttemptUsage
    ) async throws -> Ending {
        let outcome = try await persistently {
            try await queue.fail(claim.lease, reason: reason, error: message, usage: usage)
        }
        logger.warning(
            "an attempt failed",
            metadata: [
                "job": "\(claim.id)", "attempt": "\(claim.job.attempt)", "reason": "\(reason)", "error": "\(message)",
                "outcome": "\(outcome)",
            ])
        switch outcome {
        case .failed: await afterEnd(claim, reason: reason, message)
        case .cancelled: await afterEnd(claim, reason: .cancelled, "the job was cancelled")
        case .retrying where reason == .diskFull: makeRoom(claim)
        case .retrying, .held, .leaseLost: break
        }
        return .written
    }

    /// What an attempt had written when the disk was full would keep it full, and every later claim from being made.
    private func makeRoom(_ claim: ClaimedJob) {
        let (job, token) = (claim.lease.job.rawValue, claim.lease.token.rawValue)
        let work =
            claim.job.spoolFolder == nil
            ? "\(results.workRoot)/\(claim.lease)" : spool.layout.workFolder(job: job, token: token)
        // A checkpoint is worth its room: it is what the next attempt goes on from.
        guard !FileTree.exists("\(work)/last.ckpt") else { return }
        do {
            try FileTree.remove(work)
        } catch {
            logger.error(
                "could not remove a failed attempt's files", metadata: ["folder": "\(work)", "error": "\(error)"])
        }
    }

    /// A commit whose answer was lost is asked for again; then `false` may mean that the first one had gone through.
    private func commit(_ lease: Lease, _ verb: @Sendable () async throws -> Bool) async throws -> Bool {
        let failures = Counter()
        let held = try await persistently(failures: failures, verb)
        if held || failures.value == 0 { return held }
        let job = try await persistently { try await queue.job(lease.job) }
        guard job?.state == .completed else { return false }
        return try await persistently { try await queue.winner(of: lease.job) } == lease.token
    }

    /// Repeats `verb` while the database is at fault and not what is written, until the daemon has to end: an attempt's work
    /// of days is not thrown away for a server without space.
    private func persistently<Value: Sendable>(
        failures: Counter = Counter(), _ verb: @Sendable () async throws -> Value
    ) async throws -> Value {
        let backoff = Backoff(first: .milliseconds(100), cap: .seconds(2))
        while true {
            do {
                return try await verb()
            } catch let error as PostgresError where error.isPassing && !impatience.isRaised {
                let count = failures.increment()
                logger.warning(
                    "the database does not take it, the write is repeated", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: backoff.delay(afterFailures: count))
            }
        }
    }

    // MARK: After the commit

    private func afterCompletion(_ claim: ClaimedJob, _ output: String, _ publication: ModelPublication?) async {
        logger.info("completed", metadata: ["job": "\(claim.id)", "output": "\(output)"])
        do {
            if let publication {
                do {
                    let outcome = try publication.carryOut(output: output, models: configuration.roots.models)
                    logger.notice("\(publication.remark(outcome))", metadata: ["job": "\(claim.id)"])
                    if outcome == .overtaken { try? await queue.remark(claim.id, publication.remark(outcome)) }
                } catch {
                    try? await queue.remark(
                        claim.id, "model '\(publication.model)' is not published yet, it is tried again: \(error)")
                    throw error
                }
                try FileTree.remove(publication.notePath(in: results.workRoot))
            }
            if let folder = claim.job.spoolFolder {
                try await spool.complete(
                    job: claim.id.rawValue, token: claim.lease.token.rawValue, folder: folder)
                try await queue.settleSpoolFolder(claim.id)
            } else {
                try results.complete(claim.id, by: claim.lease.token)
            }
        } catch {
            logger.error(
                "a completed job's folders could not be put in order, it is tried again",
                metadata: ["job": "\(claim.id)", "error": "\(error)"])
        }
    }

    private func afterEnd(_ claim: ClaimedJob, reason: FailureReason, _ message: String) async {
        do {
            if let folder = claim.job.spoolFolder {
                try await spool.reject(
                    job: claim.id.rawValue, kind: SpoolKind(rawValue: claim.job.kind.rawValue),
                    name: claim.job.name ?? folder, folder: folder,
                    refusal: Refusal(endOf: claim.id, reason: reason.rawValue, message: message))
                try await queue.settleSpoolFolder(claim.id)
            } else {
                try results.sweep(claim.lease)
            }
        } catch {
            logger.error(
                "a failed job's folders could not be put in order, it is tried again",
                metadata: ["job": "\(claim.id)", "error": "\(error)"])
        }
    }

    private func withdraw(_ claim: ClaimedJob, _ publication: ModelPublication?) async {
        do {
            if let publication { try FileTree.remove(publication.notePath(in: results.workRoot)) }
            if let folder = claim.job.spoolFolder {
                try await spool.withdraw(
                    job: claim.id.rawValue, token: claim.lease.token.rawValue, folder: folder)
            } else {
                try results.withdraw(claim.lease)
            }
        } catch {
            logger.error(
                "results of a lost lease could not be withdrawn; the next start tries again",
                metadata: ["lease": "\(claim.lease)", "error": "\(error)"])
        }
    }

    private func modelPublication(_ claim: ClaimedJob, _ result: RunResult) throws -> ModelPublication? {
        guard claim.job.kind == .train else { return nil }
        var arguments = configuration.defaults[.train] ?? [:]
        if case .object(let own) = try claim.job.args.decode(JSONValue.self) {
            arguments.merge(own) { _, own in own }
        }
        return ModelPublication(
            job: claim.id.rawValue, token: claim.lease.token.rawValue, arguments: .object(arguments),
            result: result)
    }
}

/// Raised when the daemon can wait no longer.
final class Impatience: Sendable {
    private let raised = Atomic<Bool>(false)
    var isRaised: Bool { raised.load(ordering: .acquiring) }
    func raise() { raised.store(true, ordering: .releasing) }
}

/// Counts from any task.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .acquiring) }
    func increment() -> Int { count.add(1, ordering: .acquiringAndReleasing).newValue }
}
