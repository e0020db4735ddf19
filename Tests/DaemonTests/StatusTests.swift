import Foundation
import Glibc
import Pages
import TestSupport
import Testing

@testable import Daemon
@testable import JobQueue

@Suite struct StatusTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func figures() -> DaemonFigures {
        DaemonFigures(
            now: Date(timeIntervalSince1970: 1_800_000_000), started: Date(timeIntervalSince1970: 1_799_990_000),
            version: "1", instructionSet: "portable", slots: 4, busySlots: 1, isDraining: false,
            silence: .milliseconds(1500), attempts: [:],
            disks: [.init(name: "spool", freeBytes: 5 << 30)], queue: QueueFigures())
    }

    @Test("metrics are in Prometheus' text format, whatever stands in a name")
    func format() {
        var metrics = MetricsText()
        metrics.add("a_total", .counter, "How many.", [([("x", "q\"\u{301}\\\n"), ("y", "")], 3), ([], 0.25)])
        metrics.add("nothing", .gauge, "Left out.", [])
        metrics.add("b", .gauge, "Odd ones.", .infinity)
        #expect(
            metrics.text == """
                # HELP a_total How many.
                # TYPE a_total counter
                a_total{x="q\\"\u{301}\\\\\\n",y=""} 3
                a_total 0.25
                # HELP b Odd ones.
                # TYPE b gauge
                b +Inf

                """)
    }

    @Test("figures become metrics; without a database there are those of the daemon alone")
    func metrics() {
        var figures = figures()
        figures.attempts[.init(kind: "train", outcome: "timeout")] = .init(attempts: 2, cpuTime: .milliseconds(12_500))
        figures.queue?.queues = [.init(name: "default", due: 3, failed: 1, oldestDue: .seconds(90), isPaused: true)]
        figures.queue?.schedules = [
            .init(name: "nightly", isEnabled: true, next: Date(timeIntervalSince1970: 1_800_003_600), note: nil),
            .init(name: "never", isEnabled: false, next: nil, note: nil),
        ]
        let lines = Set(DaemonMetrics.text(of: figures).split(separator: "\n").map(String.init))
        let wanted = [
            #"shufflenetd_attempts_total{kind="train",outcome="timeout"} 2"#,
            #"shufflenetd_attempt_cpu_seconds_total{kind="train",outcome="timeout"} 12.5"#,
            #"shufflenetd_jobs{queue="default",state="due"} 3"#, #"shufflenetd_jobs{queue="default",state="failed"} 1"#,
            #"shufflenetd_oldest_due_seconds{queue="default"} 90"#, #"shufflenetd_queue_paused{queue="default"} 1"#,
            #"shufflenetd_schedule_enabled{schedule="never"} 0"#,
            #"shufflenetd_schedule_next_timestamp_seconds{schedule="nightly"} 1800003600"#,
            #"shufflenetd_free_bytes{folder="spool"} 5368709120"#, "shufflenetd_heartbeat_age_seconds 1.5",
            "shufflenetd_database_up 1", "shufflenetd_slots_busy 1", "shufflenetd_draining 0",
        ]
        #expect(wanted.filter { !lines.contains($0) } == [])

        figures.queue = nil
        let alone = DaemonMetrics.text(of: figures)
        #expect(alone.contains("shufflenetd_database_up 0\n") && !alone.contains("shufflenetd_jobs"))
    }

    @Test("the page says what runs, waits and failed, and takes names for text")
    func page() {
        var figures = figures()
        figures.isDraining = true
        figures.queue?.daemons = 2
        figures.queue?.queues = [
            .init(name: "slow", due: 2, running: 1, oldestDue: .seconds(3700), isPaused: true, isUnserved: true),
            .init(name: "idle", failed: 4),
        ]
        figures.queue?.running = [
            .init(
                id: JobID(7), kind: "train", name: "<script>", progress: 0.25, message: "epoch 1 of 4",
                runningFor: .seconds(60), host: "a&b")
        ]
        figures.queue?.failures = [
            .init(id: JobID(5), kind: "classify", name: nil, state: "held", reason: "worker_crash", error: "\"why\"")
        ]
        let page = StatusPage.template.render(StatusPage(figures, interval: .seconds(10)))
        let wanted = [
            #"<meta http-equiv="refresh" content="10">"#, "<td>&lt;script&gt;</td>", "<td>25 % epoch 1 of 4</td>",
            "<td>1 min 0 s</td><td>3 min 0 s</td><td>a&amp;b</td>", "takes no more jobs",
            #"<td class="note">paused; no running daemon takes its jobs</td>"#, "<td>1 h 1 min</td>",
            "<td>5</td><td>classify</td>",
            "<td>held</td><td>worker_crash</td><td>&quot;why&quot;</td>", "<b>5.0 GiB</b>free for spool",
            "<b>4</b>failed", "<b>1</b>running on 2 daemons",
        ]
        #expect(wanted.filter { !page.contains($0) } == [])
        #expect(!page.contains("Schedules") && !page.contains("<td>idle</td>") && !page.contains("{{"))

        figures.queue = nil
        figures.trouble = "connection <refused>"
        let alone = StatusPage.template.render(StatusPage(figures, interval: .seconds(10)))
        #expect(alone.contains("The database does not answer: connection &lt;refused&gt;"))
    }

    @Test("a daemon keeps both files up to date, and takes them away when it ends")
    func files() async throws {
        let database = try await TestDatabase.make(capacity: 4)
        let child = """
            IFS= read -r specification
            case "$specification" in
            *bad*) echo '{"event":"failed","reason":"bad_input","message":"no <good>"}'; exit 65;;
            esac
            echo '{"event":"result","result":{"figures":{},"files":{},"summary":"done"}}'
            """
        let daemon = try RunningDaemon(
            scratch: scratch, database: database, child: child, more: "status: {interval: 100ms}")
        #expect(try await daemon.isReady(), "\(scratch.read("state.log") ?? "")")
        _ = try await daemon.job(try await daemon.submit(), reaches: .completed)
        _ = try await daemon.job(try await daemon.submit(args: #"{"dataset": "bad"}"#), reaches: .failed)
        let metrics = await eventually {
            let text = scratch.read("state/status/metrics.prom") ?? ""
            return text.contains(#"shufflenetd_attempts_total{kind="train",outcome="completed"} 1"#)
                && text.contains(#"shufflenetd_attempts_total{kind="train",outcome="bad_input"} 1"#)
                && text.contains(#"shufflenetd_jobs{queue="default",state="failed"} 1"#)
        }
        #expect(metrics, "\(scratch.read("state/status/metrics.prom") ?? "none")")
        #expect(await eventually { scratch.read("state/status/index.html")?.contains("no &lt;good&gt;") == true })
        daemon.send(SIGTERM)
        #expect(await daemon.exitStatus() == 0)
        #expect(FileManager.default.contents(atPath: "\(daemon.state)/status/metrics.prom") == nil)
        #expect(FileManager.default.contents(atPath: "\(daemon.state)/status/index.html") == nil)
    }

    @Test("with an interval of nothing there are no files")
    func off() async throws {
        let database = try await TestDatabase.make(capacity: 4)
        let daemon = try RunningDaemon(
            scratch: scratch, database: database, child: "true", more: "status: {interval: 0s}")
        #expect(try await daemon.isReady(), "\(scratch.read("state.log") ?? "")")
        daemon.send(SIGTERM)
        #expect(await daemon.exitStatus() == 0)
        #expect(!FileManager.default.fileExists(atPath: "\(daemon.state)/status"))
    }
}
