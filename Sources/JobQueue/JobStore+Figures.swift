internal import Foundation
internal import Postgres

extension JobStore {
    /// How the queue stands, all at one moment and in one exchange.
    public func figures() async throws -> QueueFigures {
        let answers = try await database.query([
            Statement(FiguresStatement.waiting), Statement(FiguresStatement.others), Statement(FiguresStatement.paused),
            Statement(WorkerStatement.unserved), Statement(FiguresStatement.daemons),
            Statement(FiguresStatement.schedules, [QueueFigures.limit]),
            Statement(FiguresStatement.running, [QueueFigures.limit]),
            Statement(FiguresStatement.failures, [QueueFigures.limit]),
        ])
        var queues: [String: QueueFigures.Queue] = [:]
        func change(_ row: Row, _ body: (inout QueueFigures.Queue) throws -> Void) throws {
            let name = try row.decode("queue", as: String.self)
            try body(&queues[name, default: QueueFigures.Queue(name: name)])
        }
        for row in answers[0] {
            try change(row) {
                $0.due = try row.decode("due")
                $0.later = try row.decode("later")
                $0.oldestDue = try row.decodeIfPresent("oldest")
            }
        }
        for row in answers[1] {
            let count = try row.decode("jobs", as: Int.self)
            try change(row) {
                switch try row.decode("state", as: String.self) {
                case "running": $0.running = count
                case "held": $0.held = count
                default: $0.failed = count
                }
            }
        }
        for row in answers[2] { try change(row) { $0.isPaused = true } }
        for row in answers[3] { try change(row) { $0.isUnserved = true } }
        return QueueFigures(
            queues: queues.values.sorted { $0.name < $1.name }, daemons: try answers[4][0].decode("daemons"),
            schedules: try answers[5].map(QueueFigures.Schedule.init),
            running: try answers[6].map(QueueFigures.RunningJob.init),
            failures: try answers[7].map(QueueFigures.Failure.init))
    }

    /// Each condition on the state is word for word that of an index, so that ended jobs are not read.
    private enum FiguresStatement {
        static let waiting = """
            SELECT queue, count(*) FILTER (WHERE run_at <= now()) AS due, count(*) FILTER (WHERE run_at > now()) AS later,
                extract(epoch FROM now() - min(run_at) FILTER (WHERE run_at <= now())) AS oldest
            FROM shufflenet.jobs WHERE state = 'available' AND NOT intake_pending AND waits_for = 0 GROUP BY queue
            """

        static let others = """
            SELECT queue, state, count(*) AS jobs FROM shufflenet.jobs WHERE state = 'running' GROUP BY queue, state
            UNION ALL
            SELECT queue, state, count(*) FROM shufflenet.jobs WHERE state IN ('failed', 'held') GROUP BY queue, state
            """

        static let paused = "SELECT queue FROM shufflenet.paused_queues"

        static let daemons = "SELECT count(*) AS daemons FROM shufflenet.live_workers"

        static let schedules = """
            SELECT name, enabled, next_fire_at, note FROM shufflenet.schedules ORDER BY name LIMIT $1
            """

        static let name = "coalesce(j.name, j.args ->> 'dataset', j.args ->> 'images')"

        static let running = """
            SELECT j.id, j.kind, \(name) AS name, j.progress, j.progress_message, w.host,
                extract(epoch FROM greatest(clock_timestamp() - j.started_at, interval '0')) AS running_for
            FROM shufflenet.jobs AS j LEFT JOIN shufflenet.workers AS w ON w.id = j.worker_id
            WHERE j.state = 'running' ORDER BY j.started_at, j.id LIMIT $1
            """

        static let failures = """
            SELECT j.id, j.kind, \(name) AS name, j.state, j.reason, j.error FROM shufflenet.jobs AS j
            WHERE j.state IN ('failed', 'held') ORDER BY j.id DESC LIMIT $1
            """
    }
}

extension QueueFigures.Schedule {
    fileprivate init(_ row: Row) throws {
        self.init(
            name: try row.decode("name"), isEnabled: try row.decode("enabled"),
            next: try row.decodeIfPresent("next_fire_at"), note: try row.decodeIfPresent("note"))
    }
}

extension QueueFigures.RunningJob {
    fileprivate init(_ row: Row) throws {
        self.init(
            id: JobID(try row.decode("id")), kind: try row.decode("kind"), name: try row.decodeIfPresent("name"),
            progress: try row.decode("progress"), message: try row.decodeIfPresent("progress_message"),
            runningFor: try row.decode("running_for"),
            host: try row.decodeIfPresent("host"))
    }
}

extension QueueFigures.Failure {
    fileprivate init(_ row: Row) throws {
        self.init(
            id: JobID(try row.decode("id")), kind: try row.decode("kind"), name: try row.decodeIfPresent("name"),
            state: try row.decode("state"), reason: try row.decodeIfPresent("reason"),
            error: try row.decodeIfPresent("error"))
    }
}
