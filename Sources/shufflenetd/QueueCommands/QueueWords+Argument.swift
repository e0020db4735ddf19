public import ArgumentParser
public import JobQueue

extension JobID: ExpressibleByArgument {
    public init?(argument: String) {
        guard let number = Int64(argument), number > 0 else { return nil }
        self.init(number)
    }
}

extension JobKind: ExpressibleByArgument {}
extension JobState: ExpressibleByArgument {}
extension ScheduleDefinition.CatchUp: ExpressibleByArgument {}
extension ScheduleDefinition.Overlap: ExpressibleByArgument {}
