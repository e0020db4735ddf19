internal import Foundation
internal import Postgres

/// One look at one schedule, in one transaction: the row is locked, looked at again, and its books are kept with its jobs.
///
/// It is given up only for what no later look finds better: a cron or time zone that can't be read here, or what the checks
/// of a job's row have against the job it would make. Any other error may pass, or be mended somewhere else.
struct ScheduleLook {
    private(set) var fired: [ScheduleTick.Fired] = []
    /// What kept it from firing, if that was not noted before.
    private(set) var finding: String?

    init(at name: String, _ connection: Connection) throws {
        // Gone: another daemon has it under its lock, or was here before.
        guard let row = try connection.query(ScheduleStatement.lock, [name]).first else { return }
        let formerNote: String? = try row.decodeIfPresent("note")
        try connection.script("SAVEPOINT look")
        do {
            try fire(ScheduleRow(row), now: try row.decode("now"), connection)
        } catch let hopeless as Hopeless {
            try giveUp(name, hopeless.sentence, connection)
        } catch let error as PostgresError where !error.isConnectionLost {
            // Under the same lock, so that nobody has changed the schedule before it is judged.
            try connection.script("ROLLBACK TO SAVEPOINT look")
            fired = []
            if error.refusesTheJob {
                try giveUp(name, error.message, connection)
            } else if error.message != formerNote {
                try connection.query(ScheduleStatement.note, [name, error.message])
                finding = "the schedule could not make its job, it is tried again: \(error)"
            }
        }
    }

    private struct Hopeless: Error {
        let sentence: String
    }

    private mutating func giveUp(_ name: String, _ sentence: String, _ connection: Connection) throws {
        try connection.query(ScheduleStatement.giveUp, [name, sentence])
        finding = "the schedule is given up until it is changed or resumed: \(sentence)"
    }

    private mutating func fire(_ schedule: ScheduleRow, now: Date, _ connection: Connection) throws {
        let definition = schedule.definition
        let plan = try Self.plan(definition)
        let decision = plan.decide(next: schedule.nextFire, anchor: schedule.anchor, now: now)
        var left = 0
        for time in decision.fires {
            let unfinished = try connection.query(ScheduleStatement.unfinished, [definition.name, time])
            switch definition.overlap {
            case .allow: break
            case .forbid where !unfinished.isEmpty:
                left += 1
                continue
            case .forbid: break
            case .replace:
                for row in unfinished {
                    try connection.query("SELECT shufflenet.cancel($1)", [row.decode("id", as: Int64.self)])
                }
            }
            if let made = try connection.query(ScheduleStatement.fire, [definition.name, time]).first {
                fired.append(
                    ScheduleTick.Fired(
                        schedule: definition.name, fireAt: time, job: JobID(try made.decode("id"))))
            }
        }
        var notes: [String] = []
        if decision.next == nil { notes.append("it never fires: no month has such a day") }
        if decision.missed > 0 { notes.append("\(decision.missed) times were missed and not made up for") }
        if left > 0 { notes.append("\(left) times were left out, the job before was unfinished") }
        try connection.query(
            ScheduleStatement.advance,
            [
                definition.name, decision.next, fired.last?.fireAt, fired.last?.job.rawValue,
                notes.isEmpty ? nil : notes.joined(separator: "; "), !decision.fires.isEmpty || !notes.isEmpty,
            ])
    }

    private static func plan(_ definition: ScheduleDefinition) throws(Hopeless) -> SchedulePlan {
        let cron: CronExpression
        do {
            cron = try CronExpression(definition.cron)
        } catch {
            throw Hopeless(sentence: error.description)
        }
        guard let timeZone = TimeZone(identifier: definition.timeZone) else {
            throw Hopeless(sentence: "time zone '\(definition.timeZone)' is not known to this program")
        }
        return SchedulePlan(cron: cron, timeZone: timeZone, catchUp: definition.catchUp)
    }
}

extension PostgresError {
    /// Whether `check_job` found the kind, the args or the timeout wrong, which a schedule hands on as they are.
    fileprivate var refusesTheJob: Bool {
        let checks: Set = [
            "jobs_kind_known", "jobs_args_is_an_object", "jobs_args_size", "jobs_args_known", "jobs_args_complete",
            "jobs_args_names", "jobs_shards", "jobs_timeout_in_range",
        ]
        return sqlState == .checkViolation && constraint.map(checks.contains) == true
    }
}
