import Foundation
import JobQueue
import Pages
import Support

/// What the template of the status page is filled with; its words are the template's names.
struct StatusPage {
    struct Running {
        var id: String
        var kind: String
        var name: String?
        /// A whole number of hundredths.
        var percent: Int
        var message: String?
        var time: String
        var rest: String?
        var host: String?
    }

    struct Queue {
        var name: String
        var due: Int
        var later: Int
        var oldest: String?
        var note: String?
    }

    struct Schedule {
        var name: String
        var next: String
        var note: String?
    }

    var about: String
    var written: String
    var seconds: Int
    var notes: [String] = []
    var tiles: [Tile]
    var running: Table<Running>?
    var queues: Table<Queue>?
    var failures: Table<QueueFigures.Failure>?
    var schedules: Table<Schedule>?

    /// The newest of the failures.
    static let shownFailures = 10

    /// - Parameter interval: after which the page is there anew.
    init(_ figures: DaemonFigures, interval: Duration) {
        about = "shufflenetd \(figures.version), \(figures.instructionSet), since \(Self.time(figures.started))"
        written = Self.time(figures.now)
        seconds = max(Int(interval / .seconds(1)), 1)
        tiles = [Tile("\(figures.busySlots) of \(figures.slots)", "slots at work")]
        if figures.isDraining { notes.append("This daemon is ending: it takes no more jobs.") }
        if let trouble = figures.trouble { notes.append("The database does not answer: \(trouble)") }
        if let queue = figures.queue { add(queue) }
        tiles += figures.disks.map { Tile(Self.size($0.freeBytes), "free for \($0.name)") }
    }

    private mutating func add(_ queue: QueueFigures) {
        func sum(_ count: KeyPath<QueueFigures.Queue, Int>) -> String {
            "\(queue.queues.reduce(0) { $0 + $1[keyPath: count] })"
        }
        tiles += [
            Tile(sum(\.running), queue.daemons == 1 ? "running" : "running on \(queue.daemons) daemons"),
            Tile(sum(\.due), "due"), Tile(sum(\.later), "for later"),
            Tile(sum(\.held), "held for a person"), Tile(sum(\.failed), "failed"),
        ]
        running = Table(
            queue.running.map { job in
                let percent = Int(min(max(job.progress, 0), 1) * 100)
                return Running(
                    id: "\(job.id)", kind: job.kind, name: job.name, percent: percent, message: job.message,
                    time: Self.words(job.runningFor),
                    rest: job.progress > 0.01
                        ? Self.words(job.runningFor * ((1 - min(job.progress, 1)) / job.progress)) : nil,
                    host: job.host)
            })
        queues = Table(
            queue.queues.filter { $0.due + $0.later > 0 || $0.isPaused || $0.isUnserved }.map { queue in
                let notes = [
                    queue.isPaused ? "paused" : nil, queue.isUnserved ? "no running daemon takes its jobs" : nil,
                ].compactMap(\.self)
                return Queue(
                    name: queue.name, due: queue.due, later: queue.later, oldest: queue.oldestDue.map(Self.words),
                    note: notes.isEmpty ? nil : notes.joined(separator: "; "))
            })
        failures = Table(Array(queue.failures.prefix(Self.shownFailures)))
        schedules = Table(
            queue.schedules.map {
                Schedule(
                    name: $0.name, next: $0.isEnabled ? $0.next.map(Self.time) ?? "never" : "paused", note: $0.note)
            })
    }

    private static func time(_ date: Date) -> String { date.formatted(.iso8601) }

    /// In two units at the most: `3 d 4 h`, `2 min 5 s`.
    static func words(_ duration: Duration) -> String {
        let seconds = max(Int(duration / .seconds(1)), 0)
        let (days, hours, minutes) = (seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60)
        if days > 0 { return "\(days) d \(hours) h" }
        if hours > 0 { return "\(hours) h \(minutes) min" }
        return minutes > 0 ? "\(minutes) min \(seconds % 60) s" : "\(seconds) s"
    }

    static func size(_ bytes: Int64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var value = Double(max(bytes, 0))
        var unit = 0
        while value >= 1024 && unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = Int((value * 10).rounded())
        let number = value < 10 && unit > 0 ? "\(tenths / 10).\(tenths % 10)" : "\(Int(value.rounded()))"
        return "\(number) \(units[unit])"
    }

    static let template = HTMLPage(
        title: "shufflenetd",
        style: """
            .bar { width: 8rem; background: var(--line); border-radius: .2rem; margin-top: .4rem; }
            .bar div { background: var(--mark); height: .6rem; border-radius: .2rem; }
            .note { color: var(--bad); font-weight: 600; }
            """,
        head: #"<meta http-equiv="refresh" content="{{seconds}}">"#,
        body: """
            <h1>shufflenetd</h1>
            <p class="faint">{{about}}; written {{written}}</p>
            {{#notes}}
            <p class="note">{{.}}</p>
            {{/notes}}
            \(Tile.template)
            {{#running}}
            <h2>Running</h2>
            <div class="scroll"><table>
            <tr><th>job</th><th>kind</th><th>name</th><th>progress</th><th></th><th>for</th><th>about left</th><th>host</th></tr>
            {{#rows}}
            <tr><td>{{id}}</td><td>{{kind}}</td><td>{{name}}</td>
            <td><div class="bar"><div style="width: {{percent}}%"></div></div></td><td>{{percent}} % {{message}}</td>
            <td>{{time}}</td><td>{{rest}}</td><td>{{host}}</td></tr>
            {{/rows}}
            </table></div>
            {{/running}}
            {{#queues}}
            <h2>Waiting</h2>
            <div class="scroll"><table>
            <tr><th>queue</th><th class="number">due</th><th class="number">later</th><th>the oldest waits</th><th></th></tr>
            {{#rows}}
            <tr><td>{{name}}</td><td class="number">{{due}}</td><td class="number">{{later}}</td><td>{{oldest}}</td>
            <td class="note">{{note}}</td></tr>
            {{/rows}}
            </table></div>
            {{/queues}}
            {{#failures}}
            <h2>Failed or held, the newest</h2>
            <div class="scroll"><table>
            <tr><th>job</th><th>kind</th><th>name</th><th>state</th><th>reason</th><th>error</th></tr>
            {{#rows}}
            <tr><td>{{id}}</td><td>{{kind}}</td><td>{{name}}</td><td>{{state}}</td><td>{{reason}}</td><td>{{error}}</td></tr>
            {{/rows}}
            </table></div>
            {{/failures}}
            {{#schedules}}
            <h2>Schedules</h2>
            <div class="scroll"><table>
            <tr><th>name</th><th>next</th><th></th></tr>
            {{#rows}}
            <tr><td>{{name}}</td><td>{{next}}</td><td class="note">{{note}}</td></tr>
            {{/rows}}
            </table></div>
            {{/schedules}}
            """)
}
