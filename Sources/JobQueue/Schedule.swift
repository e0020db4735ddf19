public import Foundation

/// What a schedule is made of.
public struct ScheduleDefinition: Sendable, Equatable {
    /// What to do with times that passed while no daemon ran.
    public enum CatchUp: String, Sendable, CaseIterable {
        case skip, once, all
    }

    /// What to do at a time when the schedule's job of before is unfinished.
    public enum Overlap: String, Sendable, CaseIterable {
        case forbid, allow, replace
    }

    /// Letters, digits, `.`, `_`, `-`.
    public var name: String
    public var cron: String
    /// An IANA name.
    public var timeZone: String
    public var kind: JobKind
    public var args: JSONDocument
    public var catchUp: CatchUp
    public var overlap: Overlap
    public var enabled: Bool
    public var queue: String
    public var priority: Int
    public var timeout: Duration?

    public init(
        name: String, cron: String, timeZone: String = "UTC", kind: JobKind, args: JSONDocument = .emptyObject,
        catchUp: CatchUp = .skip, overlap: Overlap = .forbid, enabled: Bool = true, queue: String = "default",
        priority: Int = 0, timeout: Duration? = nil
    ) {
        self.name = name
        self.cron = cron
        self.timeZone = timeZone
        self.kind = kind
        self.args = args
        self.catchUp = catchUp
        self.overlap = overlap
        self.enabled = enabled
        self.queue = queue
        self.priority = priority
        self.timeout = timeout
    }
}

extension ScheduleDefinition {
    /// When it fires next by its cron and time zone alone; nil: never, or they can't be read here.
    public func nextFire(after instant: Date) -> Date? {
        guard let cron = try? CronExpression(cron), let zone = TimeZone(identifier: timeZone) else { return nil }
        return cron.nextFire(after: instant, in: zone)
    }
}

/// One row of `shufflenet.schedules`.
public struct ScheduleRow: Sendable, Equatable {
    public var definition: ScheduleDefinition
    /// Times up to this are not looked at.
    public var anchor: Date
    /// nil: not worked out yet, or never.
    public var nextFire: Date?
    /// It fires no more until somebody changes or resumes it; `note` tells why.
    public var isGivenUp: Bool
    public var lastFire: Date?
    public var lastJob: JobID?
    /// What happened at the last time, if it was no plain fire; or why the schedule can't work.
    public var note: String?

    /// `nextFire`, also before a daemon has worked it out.
    public var expectedFire: Date? { isGivenUp ? nil : nextFire ?? definition.nextFire(after: .now) }
}

/// What one look at the schedules did.
public struct ScheduleTick: Sendable, Equatable {
    public struct Fired: Sendable, Equatable {
        public var schedule: String
        public var fireAt: Date
        public var job: JobID
    }

    /// The rows this call made, not those another daemon was faster with.
    public var fired: [Fired] = []

    public init(fired: [Fired] = []) {
        self.fired = fired
    }
}
