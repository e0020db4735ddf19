/// What is to be said of a schedule: nil keeps what the one of this name has, or is the usual for a new one.
public struct ScheduleChange: Sendable, Equatable {
    public var name: String
    public var cron: String
    public var kind: JobKind
    public var args: JSONDocument?
    public var timeZone: String?
    public var catchUp: ScheduleDefinition.CatchUp?
    public var overlap: ScheduleDefinition.Overlap?
    public var enabled: Bool?
    public var queue: String?
    public var priority: Int?
    /// Zero takes it away.
    public var timeout: Duration?

    public init(name: String, cron: String, kind: JobKind, args: JSONDocument? = nil) {
        self.name = name
        self.cron = cron
        self.kind = kind
        self.args = args
    }

    /// Says all of it.
    public init(_ definition: ScheduleDefinition) {
        self.init(name: definition.name, cron: definition.cron, kind: definition.kind, args: definition.args)
        timeZone = definition.timeZone
        catchUp = definition.catchUp
        overlap = definition.overlap
        enabled = definition.enabled
        queue = definition.queue
        priority = definition.priority
        timeout = definition.timeout ?? .zero
    }
}
