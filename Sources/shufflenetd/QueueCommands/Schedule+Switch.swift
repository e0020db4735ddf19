import ArgumentParser
import JobQueue

extension Schedule {
    /// Switches a schedule off.
    struct Pause: QueueCommand {
        static let configuration = CommandConfiguration(
            commandName: "pause", abstract: "Fires a schedule no more until it is resumed; its jobs go on.")

        @Argument(help: "Its name.")
        var name: String

        @OptionGroup var place: PlaceOptions

        func run(_ queue: JobStore) async throws {
            guard try await queue.pauseSchedule(name) else { throw Schedule.unknown(name) }
            print("schedule '\(name)' is paused")
        }
    }

    /// Switches a schedule on.
    struct Resume: QueueCommand {
        static let configuration = CommandConfiguration(
            commandName: "resume", abstract: "Fires a schedule again that was paused or given up, from now on.")

        @Argument(help: "Its name.")
        var name: String

        @OptionGroup var place: PlaceOptions

        func run(_ queue: JobStore) async throws {
            guard try await queue.resumeSchedule(name),
                let row = try await queue.schedules().first(where: { $0.definition.name == name })
            else { throw Schedule.unknown(name) }
            print("schedule '\(name)' goes on; it \(Schedule.prospect(of: row))")
        }
    }
}
