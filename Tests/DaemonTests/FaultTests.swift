import Foundation
import Glibc
import JobQueue
import Postgres
import Support
import TestSupport
import Testing

@testable import Daemon

/// Breaks things at random moments under a mixed load. Each test ends with: no job lost, none published twice, no half
/// file under a final name, a daemon that is of use.
///
/// `FAULT_ROUNDS=200 swift test --filter FaultTests` breaks things as often as that. Each test prints the seed that its
/// moments are drawn from; `FAULT_SEED=…` draws the same ones again, though what runs at a moment is the system's choice.
@Suite(.serialized) struct FaultTests {
    let scratch: Scratch
    let rounds = ProcessInfo.processInfo.environment["FAULT_ROUNDS"].flatMap(Int.init) ?? 9

    init() throws {
        scratch = try Scratch()
    }

    /// What the moments of a test are drawn from.
    private func moments() -> SeededGenerator {
        let given = ProcessInfo.processInfo.environment["FAULT_SEED"].flatMap { UInt64($0) }
        let seed = given ?? .random(in: 0...UInt64(UInt32.max))
        print("FAULT_SEED=\(seed)")
        return SeededGenerator(seed: seed)
    }

    enum Victim: CaseIterable { case child, daemon, both }

    @Test("kill -9 of children, of the daemon and of both, again and again")
    func kills() async throws {
        let database = try await TestDatabase.make(capacity: 6)
        func start() async throws -> RunningDaemon {
            let daemon = try RunningDaemon(scratch: scratch, database: database, child: FaultLoad.child, workers: 3)
            #expect(try await daemon.isReady(), "\(scratch.read("state.log") ?? "")")
            return daemon
        }
        var daemon = try await start()
        var load = FaultLoad(scratch: scratch, queue: daemon.queue)
        var moments = self.moments()
        for round in 0..<rounds {
            try await load.submit(4)
            try load.drop(1, at: "state")
            // The moment is left to chance; no outcome depends on it.
            try await Task.sleep(for: .milliseconds(Int.random(in: 20...500, using: &moments)))
            let victim = Victim.allCases[round % 3]
            if victim != .daemon { for child in daemon.children { kill(child, SIGKILL) } }
            if victim != .child {
                daemon.send(SIGKILL)
                _ = await daemon.exitStatus()
                daemon = try await start()
            }
        }
        #expect(try await load.waitForEnd(within: .seconds(60 + 3 * rounds)), "\(scratch.read("state.log") ?? "")")
        try await load.check(states: ["state"])
        #expect(daemon.process.isRunning)
    }

    enum ServerFault: CaseIterable { case terminate, restart, crash }

    @Test("PostgreSQL's backends terminated, the server restarted and killed -9, again and again")
    func server() async throws {
        // With fsync, unlike the other tests' server: without it commits are asynchronous, and one that is killed forgets
        // some that it has confirmed.
        let cluster = PrivateCluster(
            state: "\(scratch.path)/pg", options: PrivateCluster.Options(maxConnections: 50))
        try await cluster.start()
        let database = Database(cluster.settings, capacity: 4)
        let daemon = try RunningDaemon(
            scratch: scratch, name: "state", database: database, child: FaultLoad.child, workers: 3)
        #expect(try await daemon.isReady(), "\(scratch.read("state.log") ?? "")")
        var load = FaultLoad(scratch: scratch, queue: daemon.queue)
        var moments = self.moments()
        for round in 0..<min(rounds, 30) {
            try await load.submit(4)
            try load.drop(1, at: "state")
            try await Task.sleep(for: .milliseconds(Int.random(in: 20...400, using: &moments)))
            switch ServerFault.allCases[round % 3] {
            case .terminate:
                try await database.query(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'shufflenetd' AND pid <> pg_backend_pid()"
                )
            case .restart:
                try await cluster.stop()
                try await cluster.start()
            case .crash:
                let file = scratch.read("pg/postgres/data/postmaster.pid") ?? ""
                let server = try #require(file.split(separator: "\n").first.flatMap { pid_t($0) })
                kill(server, SIGKILL)
                try await cluster.start()
            }
            // The test's own connections are gone as well.
            _ = await eventually { (try? await database.query("SELECT 1")) != nil }
        }
        #expect(try await load.waitForEnd(), "\(scratch.read("state.log") ?? "")")
        try await load.check(states: ["state"])
        #expect(daemon.process.isRunning)
        daemon.send(SIGTERM)
        #expect(await daemon.exitStatus() == 0)
        try await cluster.stop()
    }

    @Test("a daemon asked to end while its database is gone waits for it no longer than others trust its leases")
    func endWithoutDatabase() async throws {
        let cluster = PrivateCluster(
            state: "\(scratch.path)/pg", options: PrivateCluster.Options(maxConnections: 50))
        try await cluster.start()
        let database = Database(cluster.settings, capacity: 4)
        let daemon = try RunningDaemon(
            scratch: scratch, name: "state", database: database,
            child: #"trap 'exit 75' TERM; echo '{"event":"started"}'; while :; do read -t 1 -r _; done"#,
            workers: 1, timings: "{heartbeat: 100ms, fence: 800ms, dead: 1500ms, poll: 200ms}")
        #expect(try await daemon.isReady(), "\(scratch.read("state.log") ?? "")")
        let id = try await daemon.submit()
        _ = try await daemon.job(id, reaches: .running)
        try await cluster.stop()
        daemon.send(SIGTERM)
        #expect(await daemon.exitStatus() == 0, "\(scratch.read("state.log") ?? "")")
        try await cluster.start()
        #expect(await eventually { (try? await daemon.queue.job(id)?.state) == .running })
        try await cluster.stop()
    }

    @Test(
        "a half-open connection for longer than the lease: another daemon takes over, the cut-off one publishes nothing"
    )
    func halfOpen() async throws {
        let database = try await TestDatabase.make(capacity: 6)
        let proxy = try SocketProxy(
            folder: "\(scratch.path)/proxy", server: "\(database.settings.host ?? "")/.s.PGSQL.5432")
        let shared = "roots: {results: \(scratch.path)/results}"
        let timings = "{heartbeat: 100ms, fence: 800ms, dead: 1500ms, poll: 200ms}"
        let address = "host=\(proxy.folder) dbname=\(database.settings.database ?? "") user=\(PrivateCluster.owner)"
        let cutOff = try RunningDaemon(
            scratch: scratch, name: "one", database: database, child: FaultLoad.child, workers: 2, timings: timings,
            more: shared, address: address)
        #expect(try await cutOff.isReady(), "\(scratch.read("one.log") ?? "")")
        var load = FaultLoad(scratch: scratch, queue: cutOff.queue)
        try await load.submit(30)
        #expect(try await eventually { try await cutOff.queue.jobs(states: [.completed]).count > 2 })
        proxy.freeze()
        let other = try RunningDaemon(
            scratch: scratch, name: "two", database: database, child: FaultLoad.child, workers: 2, timings: timings,
            more: shared)
        #expect(try await load.waitForEnd(), "\(scratch.read("two.log") ?? "")")
        proxy.thaw()
        // Of use again under a new registration, and still nothing is published twice.
        #expect(try await eventually { try await other.queue.workers().count == 2 }, "\(scratch.read("one.log") ?? "")")
        try await load.submit(10)
        #expect(try await load.waitForEnd())
        try await load.check(states: [])
        #expect(await eventually { FileTree.names(in: "\(scratch.path)/results/.work").isEmpty })
        #expect(FileTree.names(in: "\(scratch.path)/results").count { !$0.hasPrefix(".") } == 40)
    }

    @Test("two daemons with one spool race for every folder and every row, and each is worked off once")
    func sharedSpool() async throws {
        let database = try await TestDatabase.make(capacity: 6)
        let spool = ["/usr/bin/env", "SHUFFLENETD_SPOOL_ROOT=\(scratch.path)/shared/spool"]
        let daemons = try ["one", "two"].map { name in
            try RunningDaemon(
                scratch: scratch, name: name, database: database, child: FaultLoad.child, workers: 2, launcher: spool)
        }
        for daemon in daemons { #expect(try await eventually { try await daemon.isReady() }) }
        #expect(await eventually { FileTree.exists("\(scratch.path)/shared/spool/incoming/classify") })
        var load = FaultLoad(scratch: scratch, queue: daemons[0].queue)
        for _ in 0..<10 {
            try load.drop(2, at: "shared")
            try await load.submit(2)
        }
        #expect(try await load.waitForEnd(), "\(scratch.read("one.log") ?? "")\(scratch.read("two.log") ?? "")")
        try await load.check(states: ["one", "two", "shared"])
        for daemon in daemons { #expect(daemon.process.isRunning) }
    }

    @Test("without any NOTIFY jobs are found by polling, and cancels by the heartbeat")
    func lostNotifications() async throws {
        let database = try await TestDatabase.make(capacity: 6)
        let daemon = try RunningDaemon(scratch: scratch, database: database, child: FaultLoad.child)
        #expect(try await daemon.isReady())
        for trigger in ["jobs_made", "jobs_changed"] {
            try await database.database.query("ALTER TABLE shufflenet.jobs DISABLE TRIGGER \(trigger)")
        }
        let id = try await daemon.submit(.classify, args: #"{"images": "i", "model": "m"}"#)
        #expect(try await daemon.job(id, reaches: .completed)?.state == .completed)
        let late = try await daemon.submit(.classify, args: #"{"images": "i", "model": "m"}"#)
        #expect(try await daemon.job(late, reaches: .running)?.state == .running)
        _ = try await daemon.queue.cancel(late)
        #expect(try await daemon.job(late, reaches: .cancelled, .completed)?.state.isFinal == true)
    }

    @Test("the database's clock set forward or back by an hour costs nothing but time", arguments: ["- ", "+ "])
    func clockStep(sign: String) async throws {
        let database = try await TestDatabase.make(capacity: 6)
        let daemon = try RunningDaemon(scratch: scratch, database: database, child: FaultLoad.child, workers: 2)
        #expect(try await daemon.isReady())
        var load = FaultLoad(scratch: scratch, queue: daemon.queue)
        try await load.submit(12)
        #expect(try await eventually { try await daemon.queue.jobs(states: [.completed]).count > 2 })
        // Seen from the rows, the clock has moved the other way.
        try await database.database.query(
            "UPDATE shufflenet.workers SET last_heartbeat = last_heartbeat \(sign) interval '1 hour'")
        #expect(try await load.waitForEnd())
        try await load.check(states: ["state"])
        #expect(try await eventually { try await daemon.queue.workers().count == 1 })
    }

    @Test("a full disk: the job fails for that reason, nothing half is published, and with room it completes")
    func fullDisk() async throws {
        let database = try await TestDatabase.make(capacity: 6)
        let results = "\(scratch.path)/results"
        try FileTree.make(results)
        let mounting = ["/usr/bin/unshare", "--mount"] + (geteuid() == 0 ? [] : ["--map-root-user"])
        let script = "mount -t tmpfs -o size=4m tmpfs \"$0\" && exec \"$@\""
        let child = """
            read -r specification
            work=$(sed -E 's/.*"work":"([^"]*)".*/\\1/' <<< "$specification")
            [ -e \(scratch.path)/small ] && size=1000 || size=9000000
            if ! head -c $size /dev/zero > "$work/predictions.csv"; then
                echo '{"event":"failed","reason":"disk_full","message":"no space left"}'; exit 1
            fi
            echo '{"event":"result","result":{"figures":{},"files":{},"summary":"done"}}'
            """
        let daemon = try RunningDaemon(
            scratch: scratch, database: database, child: child, more: "roots: {results: \(results)}",
            launcher: mounting + ["/bin/sh", "-c", script, results])
        #expect(try await daemon.isReady(), "\(scratch.read("state.log") ?? "")")
        let id = try await daemon.submit(maxAttempts: 50)
        #expect(try await eventually { try await daemon.queue.job(id)?.reason == .diskFull })
        // The mount is the daemon's own; the kernel shows it under its process.
        let inside = "/proc/\(daemon.process.processIdentifier)/root\(results)"
        #expect(FileTree.names(in: inside) == [".results-database", ".work"])
        try scratch.write("", to: "small")
        #expect(try await daemon.job(id, reaches: .completed, .failed, .held)?.state == .completed)
        #expect(FileTree.names(in: "\(inside)/\(id)") == ["predictions.csv"])
        #expect(daemon.process.isRunning)
    }

    @Test("a child past its memory limit is killed and its job told so, with the peak; the daemon goes on")
    func memory() async throws {
        let database = try await TestDatabase.make(capacity: 6)
        let daemon = try RunningDaemon(
            scratch: scratch, database: database,
            child: "read -r specification; a=x; while :; do a=$a$a; done")
        #expect(try await daemon.isReady())
        let id = try await daemon.queue.submit(
            JobRequest(
                kind: .train, args: JSONDocument(text: #"{"dataset": "a"}"#), maxAttempts: 1, memoryLimit: 64 << 20))
        let job = try #require(try await daemon.job(id, reaches: .failed, .held, .completed))
        #expect(job.state == .failed && job.reason == .outOfMemory)
        #expect(job.error?.contains("its limit is 64 MiB") == true)
        #expect(try await daemon.queue.attempts(of: id).first?.peakMemoryBytes ?? 0 > 64 << 20)
        #expect(daemon.process.isRunning)
    }
}
