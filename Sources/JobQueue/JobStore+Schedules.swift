internal import Logging
internal import Postgres

extension JobStore {
    /// Makes a schedule or changes the one of this name. Throws `CronExpression.Mistake` or `PostgresError`.
    public func schedule(_ schedule: ScheduleDefinition) async throws {
        try await self.schedule(ScheduleChange(schedule))
    }

    /// The same with what is given, and returns what came of it.
    @discardableResult
    public func schedule(_ change: ScheduleChange) async throws -> ScheduleRow {
        _ = try CronExpression(change.cron)
        try await database.query(
            ScheduleStatement.define,
            [
                change.name, change.cron, change.kind.rawValue, change.args?.text, change.timeZone,
                change.catchUp?.rawValue, change.overlap?.rawValue, change.enabled, change.queue, change.priority,
                change.timeout,
            ])
        guard let row = try await database.query(ScheduleStatement.one, [change.name]).first else {
            throw PostgresError(
                .noData, "schedule '\(change.name)' went away just after it was set",
                hint: "Set it again: somebody removed it at this moment.")
        }
        return try ScheduleRow(row)
    }

    /// Fires no more until `resumeSchedule`; `false` if there is none of this name. The jobs it made go on.
    public func pauseSchedule(_ name: String) async throws -> Bool {
        try await database.query("SELECT shufflenet.pause_schedule($1) AS existed", [name])[0].decode("existed")
    }

    /// Fires again, from now on, also where it was given up; `false` if there is none of this name.
    public func resumeSchedule(_ name: String) async throws -> Bool {
        try await database.query("SELECT shufflenet.resume_schedule($1) AS existed", [name])[0].decode("existed")
    }

    /// `false` if there was none. The jobs it made stay.
    public func unschedule(_ name: String) async throws -> Bool {
        try await database.query("SELECT shufflenet.unschedule($1) AS existed", [name])[0].decode("existed")
    }

    /// By name.
    public func schedules() async throws -> [ScheduleRow] {
        try await database.query(ScheduleStatement.list).map(ScheduleRow.init)
    }

    /// Makes the rows that are due by the database's clock. Any number of daemons may call it at once: the unique
    /// `(schedule_name, fire_at)` decides. Call it every second or so.
    ///
    /// One that can't fire gets a `note` and does not keep the others from theirs: it is given up if it can't work as it
    /// stands (see `ScheduleLook`), and tried again at the next call otherwise. What is news is logged.
    public func tickSchedules() async throws -> ScheduleTick {
        var tick = ScheduleTick()
        for row in try await database.query(ScheduleStatement.due) {
            let name: String = try row.decode("name")
            let look = try await database.transaction { try ScheduleLook(at: name, $0) }
            tick.fired += look.fired
            if let finding = look.finding {
                logger.error("\(finding)", metadata: ["schedule": "\(name)"])
            }
        }
        return tick
    }
}

/// An infinite `next_fire_at` means never: nothing is worked out again until somebody changes or resumes the schedule.
enum ScheduleStatement {
    static let define = """
        SELECT shufflenet.schedule(name => $1, cron => $2, kind => $3, args => $4::jsonb, time_zone => $5,
            catch_up => $6, overlap => $7, enabled => $8::boolean, queue => $9, priority => $10::integer,
            timeout => $11::interval)
        """

    static let columns = """
        name, cron, time_zone, kind, args, queue, priority, extract(epoch FROM timeout) AS timeout_seconds, enabled,
        catch_up, overlap, anchor_at, nullif(next_fire_at, 'infinity') AS next_fire_at,
        coalesce(next_fire_at = 'infinity', false) AS is_given_up, last_fire_at, last_job_id, note
        """

    static let one = "SELECT \(columns) FROM shufflenet.schedules WHERE name = $1"

    static let list = "SELECT \(columns) FROM shufflenet.schedules ORDER BY name"

    static let due = """
        SELECT name FROM shufflenet.schedules
        WHERE enabled AND (next_fire_at IS NULL OR next_fire_at <= clock_timestamp()) ORDER BY next_fire_at NULLS FIRST
        """

    /// SKIP LOCKED may be: whoever holds the lock is firing. The condition is looked at again under the lock.
    static let lock = """
        SELECT \(columns), clock_timestamp() AS now FROM shufflenet.schedules
        WHERE name = $1 AND enabled AND (next_fire_at IS NULL OR next_fire_at <= clock_timestamp())
        FOR UPDATE SKIP LOCKED
        """

    /// Held jobs wait for a person and would stop a `forbid` schedule for ever.
    static let unfinished = """
        SELECT id FROM shufflenet.jobs
        WHERE schedule_name = $1 AND fire_at <> $2 AND state IN ('available', 'running')
        """

    static let fire = """
        INSERT INTO shufflenet.jobs (kind, args, name, queue, priority, timeout, schedule_name, fire_at, submitted_by)
        SELECT kind, args, name, queue, priority, timeout, name, $2::timestamptz, created_by
        FROM shufflenet.schedules WHERE name = $1
        ON CONFLICT (schedule_name, fire_at) WHERE schedule_name IS NOT NULL DO NOTHING RETURNING id
        """

    static let advance = """
        UPDATE shufflenet.schedules
        SET next_fire_at = coalesce($2::timestamptz, 'infinity'), last_fire_at = coalesce($3::timestamptz, last_fire_at),
            last_job_id = coalesce($4::bigint, last_job_id), note = CASE WHEN $6::boolean THEN $5::text ELSE note END
        WHERE name = $1
        """

    static let note = "UPDATE shufflenet.schedules SET note = $2 WHERE name = $1"

    static let giveUp = "UPDATE shufflenet.schedules SET next_fire_at = 'infinity', note = $2 WHERE name = $1"
}

extension ScheduleRow {
    init(_ row: Row) throws {
        definition = ScheduleDefinition(
            name: try row.decode("name"), cron: try row.decode("cron"), timeZone: try row.decode("time_zone"),
            kind: try row.decodeCase("kind"), args: JSONDocument(text: try row.decode("args")),
            catchUp: try row.decodeCase("catch_up"), overlap: try row.decodeCase("overlap"),
            enabled: try row.decode("enabled"), queue: try row.decode("queue"), priority: try row.decode("priority"),
            timeout: try row.decodeIfPresent("timeout_seconds"))
        anchor = try row.decode("anchor_at")
        nextFire = try row.decodeIfPresent("next_fire_at")
        isGivenUp = try row.decode("is_given_up")
        lastFire = try row.decodeIfPresent("last_fire_at")
        lastJob = try row.decodeIfPresent("last_job_id").map(JobID.init(rawValue:))
        note = try row.decodeIfPresent("note")
    }
}
