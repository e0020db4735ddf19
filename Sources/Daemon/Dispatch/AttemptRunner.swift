import Foundation
import JobQueue
import Logging
import Runs
import Spool
import Support

/// Carries out one attempt at a job up to its child's end: work folder, log, arguments, child. Publishes nothing.
struct AttemptRunner: Sendable {
    let configuration: DaemonConfiguration
    let queue: JobStore
    let host: ChildHost
    let results: ResultStore
    let spool: SpoolStore
    let publisher: ModelPublisher
    let logger: Logger

    struct Outcome: Sendable {
        var verdict: ChildVerdict
        var usage = AttemptUsage()
    }

    func run(
        _ claim: ClaimedJob, control: ChildControl, leaseLost: @escaping @Sendable () -> Void
    ) async -> Outcome {
        var outcome = await attempt(claim, control: control, leaseLost: leaseLost)
        switch outcome.verdict {
        case .failed, .crashed:
            guard claim.job.spoolFolder != nil, let error = await spool.absence() else { break }
            logger.warning(
                "an attempt goes back, not charged: its spool is away",
                metadata: ["job": "\(claim.id)", "error": "\(error)"])
            outcome.verdict = .spoolGone
        case .succeeded, .preempted, .outOfMemory, .spoolGone: break
        }
        return outcome
    }

    private func attempt(
        _ claim: ClaimedJob, control: ChildControl, leaseLost: @escaping @Sendable () -> Void
    ) async -> Outcome {
        do {
            let specification = try await prepare(claim)
            try await publisher.settle(specification.namedModels, for: claim.id)
            let log = try AttemptLog(folder: configuration.roots.logs, job: claim.job.id, attempt: claim.job.attempt)
            // An unanswered database is no reason not to begin: heartbeat and fence judge that.
            if let held = try? await queue.recordLog(claim.lease, path: log.path), !held {
                leaseLost()
                return Outcome(verdict: .preempted)
            }
            let relay = ProgressRelay(claim.lease, queue: queue, lost: leaseLost)
            defer { relay.finish() }
            let end = try await host.run(
                specification, log: log.path, memoryLimit: claim.job.memoryLimit, control: control
            ) { event in
                log.note(event)
                if case .progress(let fraction, let message, _) = event {
                    relay.send(fraction: fraction, message: message)
                }
            }
            if end.garbageLines > 0 {
                log.write("\(end.garbageLines) lines on the child's standard output were no events")
            }
            let verdict = ChildVerdict(end)
            switch verdict {
            case .crashed(let sentence), .outOfMemory(let sentence): log.write(sentence)
            case .succeeded, .failed, .preempted, .spoolGone: break
            }
            return Outcome(
                verdict: verdict, usage: AttemptUsage(cpuTime: end.cpuTime, peakMemoryBytes: end.peakMemoryBytes))
        } catch let failure as RunFailure {
            return Outcome(verdict: .failed(failure))
        } catch ChildHost.StartError.stopped {
            return Outcome(verdict: .preempted)
        } catch {
            logger.error("an attempt could not be started", metadata: ["job": "\(claim.id)", "error": "\(error)"])
            return Outcome(
                verdict: .failed(RunFailure(Self.reason(of: error), "the attempt could not be started: \(error)")))
        }
    }

    static func reason(of error: any Error) -> RunFailure.Reason {
        (error as? SystemError)?.meansFullDisk == true ? .diskFull : .error
    }

    private func prepare(_ claim: ClaimedJob) async throws -> JobSpecification {
        let job = claim.job
        let work: String
        var input: String?
        if let folder = job.spoolFolder {
            work = try await spool.makeWorkFolder(job: job.id.rawValue, token: claim.lease.token.rawValue)
            do {
                input = try await spool.restoreInput(folder: folder)
            } catch let error as SpoolError {
                throw RunFailure.badInput("the dropped folder is gone: \(error); drop it again as a new job")
            }
        } else {
            work = try results.makeWorkFolder(claim.lease)
        }
        let attempts = String(work[..<(work.lastIndex(of: "/") ?? work.startIndex)])
        guard let kind = JobSpecification.Kind(rawValue: job.kind.rawValue) else {
            throw RunFailure.badInput("this version knows no job of kind '\(job.kind)'")
        }
        return JobSpecification(
            job: job.id.rawValue, attempt: job.attempt, kind: kind, args: try arguments(of: job, kind: kind),
            input: input, excluded: input == nil ? [] : ControlFile.all, work: work,
            previous: EarlierAttempt.folder(for: claim.lease, kind: job.kind, in: attempts),
            roots: configuration.jobRoots,
            threads: job.cores.map { min($0, configuration.threads) } ?? configuration.threadsPerWorker,
            shard: job.shard.flatMap { index in job.shards.map { .init(index: index, count: $0) } },
            parts: try await parts(of: job))
    }

    /// The results that a job with shards merges, in order; nil for any other job.
    private func parts(of job: Assignment) async throws -> [String]? {
        guard job.shards != nil, job.shard == nil else { return nil }
        return try await queue.shards(of: job.id).map { part in
            guard let output = part.outputPath else {
                throw RunFailure(.error, "shard \(part.shard ?? 0) (job \(part.id)) is \(part.state), wanted completed")
            }
            return "\(output)/predictions.csv"
        }
    }

    /// The job's own arguments over the configured defaults of its kind.
    private func arguments(of job: Assignment, kind: JobSpecification.Kind) throws -> JSONValue {
        let own: JSONValue
        do {
            own = try job.args.decode(JSONValue.self)
        } catch {
            throw RunFailure.badInput(
                "\(kind.rawValue) job: the args can't be read; wanted numbers that a float64 holds, and little nesting")
        }
        guard case .object(let keys) = own else { return own }
        return .object((configuration.defaults[kind] ?? [:]).merging(keys) { _, own in own })
    }
}
