import Foundation
import Glibc
import JobQueue
import Postgres
import Support
import TestSupport
import Testing

@testable import Daemon

/// The real binary on a real PostgreSQL; scripts that speak the event protocol stand in for the children.
@Suite(.serialized) struct ServeTests {
    let scratch: Scratch
    let database: TestDatabase

    init() async throws {
        scratch = try Scratch()
        database = try await TestDatabase.make(capacity: 6)
    }

    /// Reads the specification, writes one file into the work folder and succeeds.
    static let succeeding = """
        read -r specification
        work=$(sed -E 's/.*"work":"([^"]*)".*/\\1/' <<< "$specification")
        echo "$specification" > "$work/specification.json"
        echo working >&2
        echo '{"event":"started"}'
        echo '{"event":"progress","fraction":0.5,"message":"half"}'
        echo '{"event":"result","result":{"figures":{"top_1":0.5},"files":{},"summary":"done"}}'
        """

    func daemon(
        _ child: String?, name: String = "state", workers: Int = 1, grace: String = "10s", more: String = ""
    ) async throws -> RunningDaemon {
        let daemon = try RunningDaemon(
            scratch: scratch, name: name, database: database, child: child, workers: workers, grace: grace,
            more: more)
        #expect(try await daemon.isReady(), "\(scratch.read("\(name).log") ?? "")")
        return daemon
    }

    /// Without the mark that tells whose results they are.
    func names(_ folder: String) -> [String] {
        FileTree.names(in: "\(scratch.path)/\(folder)").filter { $0 != ".results-database" }
    }

    @Test("a row of SQL runs through: results under their final name, result, log and usage in the row")
    func sqlJob() async throws {
        let daemon = try await daemon(Self.succeeding, more: "defaults: {train: {epochs: 7, seed: 3}}")
        let told = try await database.database.query(
            "SELECT extract(epoch FROM dead_after) AS seconds FROM shufflenet.workers")
        #expect(try told[0].decode("seconds", as: Double.self) == 6, "as configured")
        try await database.database.query(
            "INSERT INTO shufflenet.jobs (kind, args) VALUES ('train', '{\"dataset\": \"flowers\", \"seed\": 5}')")
        let id = try #require(try await daemon.queue.jobs().first?.id)
        let job = try #require(try await daemon.job(id, reaches: .completed, .failed, .held))
        #expect(job.state == .completed, "\(job)")
        #expect(job.outputPath == "\(daemon.state)/results/\(id)")
        #expect(job.result?.text.contains("top_1") == true)
        #expect(names("state/results/\(id)") == ["specification.json"])
        let text = scratch.read("state/results/\(id)/specification.json") ?? ""
        // The configured defaults, and the job's own arguments above them.
        #expect(text.contains(#""epochs":7"#) && text.contains(#""seed":5"#) && text.contains(#""threads":2"#))
        let attempt = try #require(try await daemon.queue.attempts(of: id).first)
        #expect(attempt.peakMemoryBytes ?? 0 > 0)
        #expect(attempt.logPath.flatMap { FileManager.default.contents(atPath: $0) } == Data("working\ndone\n".utf8))
        #expect(await eventually { names("state/results/.work") == [] })
    }

    @Test("a slot takes its next job with the commit that completes the one before")
    func succession() async throws {
        try await JobStore.migrate(database.settings)
        try await database.recordStateChanges()
        try await database.database.query(
            """
            INSERT INTO shufflenet.jobs (kind, args) SELECT 'train', '{"dataset": "flowers"}' FROM generate_series(1, 3)
            """)
        let daemon = try await daemon(Self.succeeding)
        #expect(try await eventually { try await daemon.queue.jobs(states: [.completed]).count == 3 })
        #expect(try await database.handovers() == 2)
        for id in 1...3 {
            #expect(await eventually { names("state/results/\(id)") == ["specification.json"] })
            #expect(try await daemon.queue.attempts(of: JobID(Int64(id))).count == 1)
        }
        #expect(await eventually { names("state/results/.work") == [] })
    }

    @Test("a job's own number of cores is its child's, and never more than the daemon has", arguments: [1, 64])
    func cores(wanted: Int) async throws {
        let daemon = try await daemon(Self.succeeding, workers: 2)
        var request = JobRequest(kind: .train, args: JSONDocument(text: #"{"dataset": "flowers"}"#))
        request.cores = wanted
        let id = try await daemon.queue.submit(request)
        #expect(try await daemon.job(id, reaches: .completed, .failed, .held)?.state == .completed)
        let text = scratch.read("state/results/\(id)/specification.json") ?? ""
        #expect(text.contains(#""threads":\#(min(wanted, 2))"#), "\(text)")
    }

    @Test("daemons of one database share a spool; one of another database refuses to start on it")
    func foreignSpool() async throws {
        let shared = "spool: {root: \(scratch.path)/shared, quiet_period: 300ms, poll: 300ms, min_free: 1MiB}"
        let configuration = RunningDaemon.configuration.split(separator: "\n").first { $0.hasPrefix("threads") } ?? ""
        let make = { (name: String, database: Database) in
            try RunningDaemon(
                scratch: scratch, name: name, database: database, child: Self.succeeding, workers: 1,
                configuration: "\(configuration)\n\(shared)")
        }
        let (first, second) = (try make("first", database.database), try make("second", database.database))
        #expect(try await first.isReady())
        #expect(try await second.isReady())
        let foreign = try await TestDatabase.make(capacity: 2)
        let third = try make("third", foreign.database)
        #expect(await third.exitStatus() == 1)
        let log = scratch.read("third.log") ?? ""
        #expect(log.contains("belongs to database") && log.contains("shared/.spool-database"), "\(log)")
    }

    @Test("daemons of another database refuse to start on a folder of results")
    func foreignResults() async throws {
        let shared = "roots: {results: \(scratch.path)/results}"
        let configuration = RunningDaemon.configuration.split(separator: "\n").filter { !$0.hasPrefix("roots") }
            .joined(separator: "\n")
        let make = { (name: String, database: Database) in
            try RunningDaemon(
                scratch: scratch, name: name, database: database, child: Self.succeeding, workers: 1,
                configuration: "\(configuration)\n\(shared)")
        }
        let first = try make("first", database.database)
        #expect(try await first.isReady())
        let foreign = try await TestDatabase.make(capacity: 2)
        let second = try make("second", foreign.database)
        #expect(await second.exitStatus() == 1)
        let log = scratch.read("second.log") ?? ""
        #expect(log.contains("belongs to database") && log.contains("results/.results-database"), "\(log)")
    }

    @Test("a dropped folder runs through: results in done, and the input beside them")
    func spoolJob() async throws {
        let daemon = try await daemon(Self.succeeding)
        try scratch.write("picture", to: "state/spool/tmp/batch/a.jpg")
        try scratch.write("model: flowers", to: "state/spool/tmp/batch/job.yaml")
        #expect(rename("\(daemon.state)/spool/tmp/batch", "\(daemon.state)/spool/incoming/classify/batch") == 0)
        #expect(try await eventually { try await daemon.queue.jobs(states: [.completed]).count == 1 })
        let job = try #require(try await daemon.queue.jobs().first)
        let folder = "state/spool/done/batch.\(job.id)"
        #expect(await eventually { scratch.read("\(folder)/input/a.jpg") == "picture" })
        #expect(scratch.read("\(folder)/specification.json")?.contains(#""model":"flowers""#) == true)
        #expect(names("state/spool/incoming/classify") == [])
        #expect(await eventually { names("state/spool/processing") == [] && names("state/spool/.work") == [] })
    }

    @Test("bad input fails the job at once, the folder is rejected with a reason, and the daemon goes on")
    func badInput() async throws {
        let daemon = try await daemon(
            """
            read -r specification
            case "$specification" in *broken*)
                echo '{"event":"failed","reason":"bad_input","message":"no such class"}'; exit 65;;
            esac
            \(Self.succeeding.replacing("read -r specification", with: ""))
            """)
        try scratch.write("picture", to: "state/spool/tmp/broken/a.jpg")
        try scratch.write("model: flowers", to: "state/spool/tmp/broken/job.yaml")
        #expect(rename("\(daemon.state)/spool/tmp/broken", "\(daemon.state)/spool/incoming/classify/broken") == 0)
        #expect(try await eventually { try await daemon.queue.jobs(states: [.failed]).count == 1 })
        let job = try #require(try await daemon.queue.jobs().first)
        #expect(job.reason == .badInput)
        #expect(job.error == "no such class")
        #expect(job.attempt == 1)
        let folder = "state/spool/rejected/broken.\(job.id)"
        #expect(await eventually { scratch.read("\(folder)/REASON.json")?.contains("no such class") == true })
        #expect(await eventually { scratch.read("\(folder)/input/a.jpg") == "picture" })
        #expect(names("state/spool/done") == [])
        let next = try await daemon.submit()
        #expect(try await daemon.job(next, reaches: .completed)?.state == .completed)
    }

    @Test(
        "children that misbehave cost their job an attempt or a crash, never the daemon",
        arguments: [
            ("exit 0", JobState.held, FailureReason.workerCrash),
            ("head -c 200000 /dev/urandom; exit 0", .held, .workerCrash),
            ("kill -9 $$", .held, .workerCrash),
            (#"echo '{"event":"failed","reason":"error","message":"no"}'; exit 1"#, .failed, .error),
        ])
    func misbehaving(child: String, state: JobState, reason: FailureReason) async throws {
        let daemon = try await daemon(child)
        let id = try await daemon.submit(maxAttempts: 1)
        let job = try #require(try await daemon.job(id, reaches: .completed, .failed, .held))
        #expect(job.state == state)
        #expect(job.reason == reason)
        #expect(names("state/results") == [".work"])
        #expect(daemon.process.isRunning)
    }

    @Test("a job past its time limit is stopped, also when its child ignores SIGTERM")
    func timeLimit() async throws {
        let daemon = try await daemon("trap '' TERM; while :; do sleep 0.1; done", grace: "200ms")
        let id = try await daemon.submit(timeout: .milliseconds(300), maxAttempts: 1)
        let job = try #require(try await daemon.job(id, reaches: .failed, .held))
        #expect(job.reason == .timeout)
    }

    /// Waits for a file `go`, or for the end of its control pipe as the real program does; on SIGTERM leaves a checkpoint and ends as preempted; takes an earlier checkpoint along.
    func patient() -> String {
        """
        read -r specification
        work=$(sed -E 's/.*"work":"([^"]*)".*/\\1/' <<< "$specification")
        previous=$(sed -nE 's/.*"previous":"([^"]*)".*/\\1/p' <<< "$specification")
        [ -n "$previous" ] && cp "$previous/last.ckpt" "$work/last.ckpt"
        echo "step by $$" >> "$work/last.ckpt"
        trap 'exit 75' TERM
        echo $$ > \(scratch.path)/child.pid
        echo '{"event":"started"}'
        while [ ! -e \(scratch.path)/go ]; do if read -r -t 0.02 _; [ $? -eq 1 ]; then exit 70; fi; done
        echo '{"event":"result","result":{"figures":{},"files":{},"summary":"done"}}'
        """
    }

    func childPID() async -> pid_t? {
        _ = await eventually { scratch.read("child.pid")?.hasSuffix("\n") == true }
        return scratch.read("child.pid").flatMap { pid_t($0.dropLast()) }
    }

    @Test("kill -9 of a child: the job runs again, goes on from the checkpoint, and completes")
    func killedChild() async throws {
        let daemon = try await daemon(patient())
        let id = try await daemon.submit()
        let pid = try #require(await childPID())
        try FileManager.default.removeItem(atPath: "\(scratch.path)/child.pid")
        kill(pid, SIGKILL)
        #expect(await childPID() != nil)
        try scratch.write("", to: "go")
        let job = try #require(try await daemon.job(id, reaches: .completed, .failed, .held))
        #expect(job.state == .completed)
        #expect(job.crashCount == 1)
        #expect(scratch.read("state/results/\(id)/last.ckpt")?.split(separator: "\n").count == 2)
        #expect(try await daemon.queue.attempts(of: id).map(\.reason) == [.workerCrash, nil])
    }

    @Test("a cancelled job that runs is stopped, and one that waits never starts")
    func cancel() async throws {
        let daemon = try await daemon(patient())
        let running = try await daemon.submit()
        #expect(await childPID() != nil)
        let waiting = try await daemon.submit()
        #expect(try await daemon.queue.cancel(waiting) == .cancelled)
        #expect(try await daemon.queue.cancel(running) == .cancelling)
        let job = try #require(try await daemon.job(running, reaches: .cancelled, .completed, .failed))
        #expect(job.state == .cancelled)
        #expect(job.reason == .cancelled)
        #expect(await eventually { names("state/results/.work") == [] })
        #expect(try await daemon.queue.attempts(of: waiting) == [])
    }

    @Test("a folder whose job is cancelled while it waits goes to rejected")
    func cancelWaitingFolder() async throws {
        let daemon = try await daemon(patient())
        _ = try await daemon.submit()
        #expect(await childPID() != nil)
        try scratch.write("picture", to: "state/spool/tmp/batch/a.jpg")
        try scratch.write("model: flowers", to: "state/spool/tmp/batch/job.yaml")
        #expect(rename("\(daemon.state)/spool/tmp/batch", "\(daemon.state)/spool/incoming/classify/batch") == 0)
        #expect(await eventually { names("state/spool/processing").count == 1 })
        #expect(try await eventually { try await daemon.queue.jobs(states: [.available]).first?.spoolFolder != nil })
        let id = try #require(try await daemon.queue.jobs(states: [.available]).first?.id)
        #expect(try await daemon.queue.cancel(id) == .cancelled)
        #expect(await eventually { names("state/spool/rejected") == ["batch.\(id)"] })
    }

    @Test(
        "a request to end drains: the job goes back without spending an attempt, and the next daemon completes it",
        arguments: [SIGTERM, SIGINT, SIGHUP])
    func drain(signal: Int32) async throws {
        let first = try await daemon(patient())
        let id = try await first.submit()
        #expect(await childPID() != nil)
        first.send(signal)
        #expect(await first.exitStatus() == 0)
        let back = try #require(try await first.queue.job(id))
        #expect(back.state == .available)
        #expect(back.attempt == 0)
        #expect(back.preemptCount == 1)
        #expect(try await first.queue.workers() == [])
        try scratch.write("", to: "go")
        let second = try await daemon(patient())
        let job = try #require(try await second.job(id, reaches: .completed, .failed, .held))
        #expect(job.state == .completed)
        #expect(scratch.read("state/results/\(id)/last.ckpt")?.split(separator: "\n").count == 2)
    }

    @Test("the row of a training says that its model could not be published, and that it was later")
    func unpublishedModel() async throws {
        let result = #"{"figures":{},"files":{"publish":"best.ckpt"},"summary":"done"}"#
        let daemon = try await daemon(
            Self.succeeding.replacing(
                #"{"figures":{"top_1":0.5},"files":{},"summary":"done"}"#, with: result
            ).replacing("echo working >&2", with: #"echo best > "$work/best.ckpt""#))
        // In the place of the folder of models, which the daemon made at its start.
        try FileTree.remove("\(scratch.path)/state/models")
        try scratch.write("a file", to: "state/models")
        let id = try await daemon.submit(args: #"{"dataset": "flowers", "publish_as": "flowers"}"#)
        let job = try #require(try await daemon.job(id, reaches: .completed, .failed, .held))
        #expect(job.state == .completed, "\(job)")
        func remark() async throws -> String { try await daemon.queue.job(id)?.progressMessage ?? "" }
        #expect(try await eventually { try await remark().hasPrefix("model 'flowers' is not published yet") })
        try FileTree.remove("\(scratch.path)/state/models")
        #expect(try await eventually { try await remark() == "model 'flowers' is published" })
        #expect(scratch.read("state/models/flowers.ckpt") == "best\n")
    }

    @Test("a job that waited for a training finds the model that it publishes, however long the copy takes")
    func modelOfTheJobBefore() async throws {
        let daemon = try await daemon(
            """
            read -r specification
            work=$(sed -E 's/.*"work":"([^"]*)".*/\\1/' <<< "$specification")
            echo '{"event":"started"}'
            if [[ $specification == *'"kind":"train"'* ]]; then
                head -c 100000000 /dev/zero > "$work/best.ckpt"
            else
                ls '\(scratch.path)/state/models' > "$work/models"
            fi
            echo '{"event":"result","result":{"figures":{},"files":{"publish":"best.ckpt"},"summary":"done"}}'
            """, workers: 2)
        let training = try await daemon.submit(args: #"{"dataset": "flowers", "publish_as": "flowers"}"#)
        let args = JSONDocument(text: #"{"dataset": "flowers", "model": "flowers"}"#)
        let next = try await daemon.queue.submit(JobRequest(kind: .evaluate, args: args, after: [training]))
        let job = try #require(try await daemon.job(next, reaches: .completed, .failed, .held, .cancelled))
        #expect(job.state == .completed, "\(job)")
        #expect(scratch.read("state/results/\(next)/models") == "flowers.ckpt\n")
    }

    @Test("a second SIGTERM kills a child that takes its time")
    func hasten() async throws {
        let daemon = try await daemon(patient().replacing("exit 75", with: "touch \(scratch.path)/asked"))
        let id = try await daemon.submit()
        let pid = try #require(await childPID())
        daemon.send(SIGTERM)
        #expect(await eventually { scratch.read("asked") != nil })
        daemon.send(SIGTERM)
        #expect(await daemon.exitStatus() == 0)
        #expect(kill(pid, 0) != 0)
        #expect(try await daemon.queue.job(id)?.state == .available)
    }

    @Test("kill -9 of the daemon: its child goes too, and a new daemon takes its job back at once")
    func killedDaemon() async throws {
        let script = patient()
        let first = try await daemon(script)
        let id = try await first.submit()
        let pid = try #require(await childPID())
        first.send(SIGKILL)
        _ = await first.exitStatus()
        #expect(await eventually { kill(pid, 0) != 0 })
        try scratch.write("", to: "go")
        let second = try await daemon(script)
        let job = try #require(try await second.job(id, reaches: .completed, .failed, .held))
        #expect(job.state == .completed)
        #expect(try await second.queue.attempts(of: id).count == 2)
    }

    @Test("a second daemon on the same state folder is refused with a sentence")
    func sameState() async throws {
        let first = try await daemon(Self.succeeding)
        let second = try RunningDaemon(scratch: scratch, database: database, child: nil)
        #expect(await second.exitStatus() == 1)
        #expect(first.process.isRunning)
        #expect(scratch.read("state.log")?.contains("is in use by another daemon") == true)
    }

    @Test("two daemons on one database share the work, and a due schedule fires exactly once")
    func twoDaemons() async throws {
        let one = try await daemon(Self.succeeding, name: "one")
        let two = try await daemon(Self.succeeding, name: "two")
        var jobs: [JobID] = []
        for _ in 0..<12 { jobs.append(try await one.submit()) }
        for id in jobs { #expect(try await one.job(id, reaches: .completed, .failed, .held)?.state == .completed) }
        #expect(names("one/results").count + names("two/results").count == 12 + 2)

        try await one.queue.schedule(
            ScheduleDefinition(
                name: "nightly", cron: "* * * * *", kind: .train, args: JSONDocument(text: #"{"dataset": "flowers"}"#)))
        // Due at a time that has just passed, as both daemons will find it.
        try await database.database.query(
            "UPDATE shufflenet.schedules SET next_fire_at = date_trunc('minute', clock_timestamp())")
        let fired = { try await one.queue.jobs().filter { $0.scheduleName == "nightly" } }
        #expect(try await eventually { try await !fired().isEmpty })
        let first = try #require(try await fired().last)
        #expect(try await one.job(first.id, reaches: .completed, .failed, .held)?.state == .completed)
        let times = try await fired().map(\.fireAt)
        #expect(Set(times).count == times.count)
        #expect(two.process.isRunning)
    }

    @Test("a folder dropped at one daemon is never worked on by another one on the same database")
    func spoolStaysHome() async throws {
        let one = try await daemon(patient(), name: "one")
        let two = try await daemon(Self.succeeding, name: "two")
        _ = try await one.submit()
        _ = try await one.submit()
        #expect(await childPID() != nil)
        // Daemon one is busy; two is idle, and must leave the folder alone.
        try scratch.write("picture", to: "one/spool/tmp/batch/a.jpg")
        try scratch.write("model: flowers", to: "one/spool/tmp/batch/job.yaml")
        #expect(rename("\(one.state)/spool/tmp/batch", "\(one.state)/spool/incoming/classify/batch") == 0)
        let dropped = { try await one.queue.jobs(kinds: [.classify]).first }
        #expect(try await eventually { try await dropped()?.spoolFolder != nil })
        try scratch.write("", to: "go")
        let id = try #require(try await dropped()?.id)
        #expect(try await one.job(id, reaches: .completed, .failed, .held)?.outputPath?.hasPrefix(one.state) == true)
        #expect(two.process.isRunning)
    }

    @Test("a daemon that slept past its lease publishes nothing over the one that took its job")
    func zombie() async throws {
        let script = patient().replacing("trap", with: "echo $PPID > \"$work/owner\"\ntrap")
        let shared = "roots: {results: \(scratch.path)/results}"
        // 1. Daemon one works on the job. 2. It is stopped. 3. Daemon two takes the job over and completes it.
        let one = try await daemon(script, name: "one", more: shared)
        let id = try await one.submit()
        #expect(await childPID() != nil)
        one.send(SIGSTOP)
        let two = try await daemon(script, name: "two", more: shared)
        #expect(try await eventually { try await two.queue.attempts(of: id).count == 2 })
        try scratch.write("", to: "go")
        #expect(try await two.job(id, reaches: .completed, .failed, .held)?.state == .completed)
        // 4. One goes on: its child has a result, and its lease is gone.
        one.send(SIGCONT)
        #expect(await eventually { scratch.read("one.log")?.contains("abandoned") == true })
        #expect(await eventually { names("results/.work") == [] })
        #expect(scratch.read("results/\(id)/owner") == "\(two.process.processIdentifier)\n")
        #expect(names("results") == [".work", "\(id)"])
        // 5. It registers anew and is of use again.
        #expect(try await eventually { try await two.queue.workers().count == 2 })
        #expect(try await two.queue.job(id)?.state == .completed)
    }

    @Test("under its final name a result is whole from the first moment it can be seen")
    func wholeAtOnce() async throws {
        let daemon = try await daemon(
            Self.succeeding.replacing(
                "echo working >&2", with: "for i in {1..200}; do echo $i > \"$work/part-$i\"; done"))
        let id = try await daemon.submit()
        var seen = 0
        _ = await eventually {
            let count = names("state/results/\(id)").count
            #expect(count == 0 || count == 201)
            seen += count == 201 ? 1 : 0
            return seen > 3
        }
        #expect(try await daemon.job(id, reaches: .completed, .failed, .held)?.state == .completed)
    }

    @Test("the program's own child reports a missing data set as bad input")
    func realChild() async throws {
        let daemon = try await daemon(nil)
        let id = try await daemon.submit()
        let job = try #require(try await daemon.job(id, reaches: .completed, .failed, .held))
        #expect(job.state == .failed)
        #expect(job.reason == .badInput)
        #expect(job.error?.contains("there is no folder 'flowers'") == true)
    }

    @Test("a wrong configuration is told in full, with EX_CONFIG, and nothing is started")
    func wrongConfiguration() async throws {
        let daemon = try RunningDaemon(
            scratch: scratch, database: database, child: nil, more: "roots: 5\nworkrs: 2\nlog_level: loud")
        #expect(await daemon.exitStatus() == EX_CONFIG)
        let log = scratch.read("state.log") ?? ""
        #expect(log.contains("3 mistakes"))
        #expect(!FileTree.exists(daemon.state))
    }
}
