extension JobStore {
    /// Makes a schedule or changes the one of this name. Throws `CronExpression.Mistake` or `PostgresError`.
    public func schedule(_ schedule: ScheduleDefinition) async throws
    /// `false` if there was none.
    public func unschedule(_ name: String) async throws -> Bool
    public func schedules() async throws -> [ScheduleRow]
    /// Makes the rows that are due by the database's clock. Any number of daemons may call it at once: the unique
    /// `(schedule_name, fire_at)` decides. Call it every second or so, or at `nextDue`.
    public func tickSchedules() async throws -> ScheduleTick
}
