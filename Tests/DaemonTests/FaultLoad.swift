import Foundation
import Glibc
import JobQueue
import Postgres
import Support
import Testing

@testable import Daemon

/// A mixed load for the fault tests, and what must hold of it when all faults are over.
struct FaultLoad: Sendable {
    let scratch: Scratch
    let queue: JobStore
    private(set) var jobs: [JobID] = []
    private(set) var dropped = 0

    /// Writes its result slowly and in pieces, under its token's name; ends, like the real program, with its daemon.
    /// Sets an earlier attempt's work forth.
    static let child = """
        read -r specification
        work=$(sed -E 's/.*"work":"([^"]*)".*/\\1/' <<< "$specification")
        trap 'exit 75' TERM
        echo '{"event":"started"}'
        for i in 1 2 3 4 5 6 7 8 9 10; do
            echo "part $i" >> "$work/predictions.csv"
            read -r -t 0.02 _; [ $? -eq 1 ] && exit 70
        done
        basename "$work" > "$work/owner"
        echo '{"event":"result","result":{"figures":{},"files":{},"summary":"done"}}'
        """

    init(scratch: Scratch, queue: JobStore) {
        self.scratch = scratch
        self.queue = queue
    }

    /// Jobs by SQL.
    mutating func submit(_ count: Int) async throws {
        for _ in 0..<count {
            jobs.append(
                try await queue.submit(
                    JobRequest(
                        kind: .classify, args: JSONDocument(text: #"{"images": "i", "model": "m"}"#), maxAttempts: 100))
            )
        }
    }

    /// Folders dropped into a daemon's spool.
    mutating func drop(_ count: Int, at state: String) throws {
        for _ in 0..<count {
            dropped += 1
            let name = "batch-\(dropped)"
            try scratch.write("picture", to: "\(state)/spool/tmp/\(name)/a.jpg")
            try scratch.write("model: m", to: "\(state)/spool/tmp/\(name)/job.yaml")
            let path = "\(scratch.path)/\(state)/spool"
            #expect(rename("\(path)/tmp/\(name)", "\(path)/incoming/classify/\(name)") == 0)
        }
    }

    /// Waits until everything has completed; what crashes had put aside is let go as a person would.
    func waitForEnd(within bound: Duration = .seconds(120)) async throws -> Bool {
        try await eventually(within: bound) {
            for job in try await queue.jobs(states: [.held]) { try await queue.letGo(job.id) }
            let ended = try await queue.jobs(states: [.completed, .failed, .cancelled], limit: 10_000)
            return ended.count == jobs.count + dropped
        }
    }

    /// None lost, none published twice, nothing half under a final name, nothing left over.
    func check(states: [String]) async throws {
        let all = try await queue.jobs(limit: 10_000)
        #expect(all.count == jobs.count + dropped)
        #expect(Set(all.map(\.id)).isSuperset(of: jobs))
        for job in all {
            #expect(job.state == .completed, "\(job)")
            let events = try await queue.events(of: job.id)
            #expect(events.filter { $0.to == .completed }.count == 1)
            let output = try #require(job.outputPath)
            let token = try #require(job.leaseToken)
            #expect(text("\(output)/owner") == "\(job.id).\(token)\n", "the files are those of the attempt that won")
            #expect(text("\(output)/predictions.csv")?.hasSuffix("part 10\n") == true)
        }
        for state in states {
            let folder = "\(scratch.path)/\(state)"
            #expect(await eventually { FileTree.names(in: "\(folder)/results/.work").isEmpty })
            let results = Set(FileTree.names(in: "\(folder)/results")).subtracting([".work", ".results-database"])
            #expect(results.isSubset(of: all.map { "\($0.id)" }))
            for name in ["spool/processing", "spool/.work", "spool/incoming/classify", "spool/rejected"] {
                #expect(await eventually { FileTree.names(in: "\(folder)/\(name)").isEmpty }, "\(name)")
            }
        }
    }

    private func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }
}

extension RunningDaemon {
    /// The processes this daemon has started for jobs, as far as they can be seen at this moment.
    var children: [pid_t] {
        let tasks = "/proc/\(process.processIdentifier)/task"
        return FileTree.names(in: tasks).flatMap { task in
            (FileManager.default.contents(atPath: "\(tasks)/\(task)/children"))
                .map { String(decoding: $0, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) } } ?? []
        }
    }
}
