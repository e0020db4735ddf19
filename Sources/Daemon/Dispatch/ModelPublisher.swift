import Foundation
import JobQueue
import Logging
import Postgres
import Runs
import Spool
import Support

/// Puts models in their place that completed trainings have left a note about.
struct ModelPublisher: Sendable {
    let queue: JobStore
    let results: ResultStore
    let spool: SpoolStore
    /// Where models are published.
    let models: String
    let logger: Logger

    /// What is still to be published, or was to be by a training that came to nothing.
    var notes: [ModelPublication] { ModelPublication.notes(in: results.workRoot) }

    /// Does what a note asks for if its training has completed, and removes it; leaves it while the training runs. Throws what
    /// database and files have against it.
    func publish(_ note: ModelPublication) async throws {
        let job = try await queue.job(JobID(note.job))
        if let job, job.state == .running { return }
        if job?.spoolFolder != nil, await spool.absence() != nil { return }
        let isWinner = try await queue.winner(of: JobID(note.job))?.rawValue == note.token
        if let job, job.state == .completed, isWinner, let output = job.outputPath {
            try await queue.remark(job.id, try publish(note, from: output))
        }
        try FileTree.remove(note.notePath(in: results.workRoot))
    }

    /// Returns what became of the model, for people.
    private func publish(_ note: ModelPublication, from output: String) throws -> String {
        do {
            let remark = note.remark(try note.carryOut(output: output, models: models))
            logger.notice("\(remark)", metadata: ["job": "\(note.job)"])
            return remark
        } catch let failure as RunFailure {
            // Its checkpoint is gone: trying again would not bring it back.
            logger.error("a model is not published", metadata: ["error": "\(failure.message)"])
            return failure.message
        }
    }

    /// To be called before a job begins that names `wanted`: it may have waited for a training that has completed, and whose
    /// daemon is about to publish the model, or was when it ended.
    ///
    /// - Throws: `RunFailure` when the model of a training that the job waited for can't be published, and the job would take
    ///   the one before. Others begin with what there is.
    func settle(_ wanted: Set<String>, for id: JobID) async throws(RunFailure) {
        if wanted.isEmpty { return }
        var pending = notes.filter { wanted.contains($0.model) }
        let start = ContinuousClock.now
        while !pending.isEmpty, ContinuousClock.now - start < .milliseconds(500) {
            try? await Task.sleep(for: .milliseconds(20))
            pending.removeAll { !FileTree.exists($0.notePath(in: results.workRoot)) }
        }
        if pending.isEmpty { return }
        for note in pending.sorted(by: { $0.job < $1.job }) {
            var trouble: (any Error)?
            do {
                try await publish(note)
            } catch {
                trouble = error
            }
            guard FileTree.exists(note.notePath(in: results.workRoot)) else { continue }
            let sentence =
                "model '\(note.model)' of job \(note.job) is not published yet"
                + (trouble.map { ": \($0)" } ?? "")
            // An unanswered database is no reason not to begin.
            if (try? await queue.waited(id, for: JobID(note.job))) == true {
                throw RunFailure(trouble.map(AttemptRunner.reason) ?? .error, "\(sentence); this job waited for it")
            }
            logger.warning("\(sentence)", metadata: ["job": "\(id)"])
        }
    }
}
