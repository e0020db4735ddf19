import Foundation
import JobQueue
import Postgres
import Runs

/// The two ways in, each with all three kinds of job.
struct DemoTour {
    let folders: DemoFolders
    let store: JobStore

    func throughTheSpool() async throws {
        let drops = [
            ("shapes", "shapes-train", "train", "publish_as: shapes\n"),
            ("shapes-held-back", "shapes-held-back", "evaluate", "model: shapes\n"),
            ("inbox", "inbox", "classify", "model: shapes\ntop_k: 3\n"),
        ]
        for (drawing, name, kind, job) in drops {
            say("   drop \(name) into \(folders.spool)/incoming/\(kind)")
            let last = try await store.jobs(limit: 1).first?.id
            try folders.drop(drawing, as: name, kind: kind, job: job)
            try await finish(try await newJob(after: last))
        }
    }

    func throughSQL() async throws {
        let rows = [
            ("train", #"{"dataset": "shapes", "epochs": 4, "from": "shapes", "publish_as": "shapes"}"#),
            ("evaluate", #"{"dataset": "shapes-held-back", "model": "shapes"}"#),
            ("classify", #"{"images": "inbox", "model": "shapes", "top_k": 3}"#),
        ]
        for (kind, args) in rows {
            say("   INSERT INTO shufflenet.jobs (kind, args) VALUES ('\(kind)', '\(args)')")
            let inserted = try await store.database.query(
                "INSERT INTO shufflenet.jobs (kind, args) VALUES ($1, $2::jsonb) RETURNING id", [kind, args])
            guard let row = inserted.first else { throw RunFailure(.error, "the INSERT returned no row") }
            try await finish(JobID(try row.decode("id", as: Int64.self)))
        }
    }

    func printJobs() async throws {
        say(TextTable.jobs(try await store.jobs().reversed()))
    }

    /// The job that a dropped folder became.
    private func newJob(after last: JobID?) async throws -> JobID {
        for _ in 0..<300 {
            if let job = try await store.jobs(limit: 1).first, job.id > last ?? JobID(0) { return job.id }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw RunFailure(.error, "the dropped folder did not become a job within 30 s; see \(folders.log)")
    }

    /// Waits for a job's end and prints its result.
    private func finish(_ id: JobID) async throws {
        for _ in 0..<3000 {
            guard let job = try await store.job(id) else { break }
            if job.state == .completed {
                let result = try job.result?.decode(RunResult.self)
                say("   job \(id): \(result?.summary ?? "completed")")
                return
            }
            if job.state.isFinal || job.state == .held {
                throw RunFailure(.error, "job \(id) is \(job.state): \(job.error ?? "no reason given")")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw RunFailure(.error, "job \(id) was not finished after five minutes; see \(folders.log)")
    }
}
