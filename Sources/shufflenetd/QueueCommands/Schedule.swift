import ArgumentParser
import Foundation
import JobQueue

/// Jobs that come by the clock.
struct Schedule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule", abstract: "Lists, adds, pauses and removes jobs that come by the clock.",
        subcommands: [List.self, Add.self, Pause.self, Resume.self, Remove.self], defaultSubcommand: List.self)

    struct List: QueueCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the schedules.")

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var place: PlaceOptions

        private struct Report: Encodable {
            var name: String
            var cron: String
            var timeZone: String
            var kind: String
            var args: String
            var enabled: Bool
            var isGivenUp: Bool
            var nextFire: Date?
            var lastFire: Date?
            var lastJob: Int64?
            var note: String?

            init(_ row: ScheduleRow) {
                name = row.definition.name
                cron = row.definition.cron
                timeZone = row.definition.timeZone
                kind = row.definition.kind.rawValue
                args = row.definition.args.text
                enabled = row.definition.enabled
                isGivenUp = row.isGivenUp
                nextFire = row.expectedFire
                lastFire = row.lastFire
                lastJob = row.lastJob?.rawValue
                note = row.note
            }
        }

        func run(_ queue: JobStore) async throws {
            let schedules = try await queue.schedules()
            if json {
                print(try JobReport.json(schedules.map(Report.init)))
                return
            }
            var table = TextTable("NAME", "CRON", "TIME ZONE", "KIND", "NEXT", "LAST JOB", "NOTE")
            for row in schedules {
                table.add(
                    row.definition.name, row.definition.cron, row.definition.timeZone, row.definition.kind.rawValue,
                    Self.next(row),
                    row.lastJob.map { "\($0)" } ?? "-", row.note ?? "")
            }
            print(table.text)
        }

        private static func next(_ row: ScheduleRow) -> String {
            guard row.definition.enabled else { return "paused" }
            return row.isGivenUp ? "given up" : JobReport.time(row.expectedFire)
        }
    }

    struct Add: QueueCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Adds a schedule, or changes the one of this name.",
            discussion: """
                For instance: shufflenetd schedule add nightly '30 2 * * *' train dataset=flowers
                A schedule that is there keeps what is not given, its arguments too if none are.
                """)

        @Argument(help: "What to call it.")
        var name: String

        @Argument(help: "Five fields: minute, hour, day of month, month, day of week; or @daily and the like.")
        var cron: String

        @Argument(help: "train, evaluate or classify.")
        var kind: JobKind

        @Argument(help: ArgumentHelp("Arguments of the job.", valueName: "key=value"))
        var arguments: [String] = []

        @Option(help: "Arguments as one JSON object.")
        var args: String?

        @Option(help: "An IANA time zone, for instance Europe/Berlin (UTC).")
        var timeZone: String?

        @Option(help: "What to do with times missed while no daemon ran: skip, once or all (skip).")
        var catchUp: ScheduleDefinition.CatchUp?

        @Option(help: "What to do while the job before is unfinished: forbid, allow or replace (forbid).")
        var overlap: ScheduleDefinition.Overlap?

        @OptionGroup var place: PlaceOptions

        func run(_ queue: JobStore) async throws {
            var change = ScheduleChange(name: name, cron: cron, kind: kind)
            if args != nil || !arguments.isEmpty {
                change.args = try JSONDocument(encoding: try JobArguments.parse(args, arguments))
            }
            change.timeZone = timeZone
            change.catchUp = catchUp
            change.overlap = overlap
            print("schedule '\(name)' is set; it \(Schedule.prospect(of: try await queue.schedule(change)))")
        }
    }

    struct Remove: QueueCommand {
        static let configuration = CommandConfiguration(commandName: "remove", abstract: "Removes a schedule.")

        @Argument(help: "Its name.")
        var name: String

        @OptionGroup var place: PlaceOptions

        func run(_ queue: JobStore) async throws {
            guard try await queue.unschedule(name) else { throw Schedule.unknown(name) }
            print("schedule '\(name)' is removed")
        }
    }

    /// Says that there is none of this name.
    static func unknown(_ name: String) -> ExitCode {
        complain("there is no schedule '\(name)'; list them with: shufflenetd schedule")
        return .failure
    }

    /// What is to be expected of a schedule, after "it".
    static func prospect(of row: ScheduleRow) -> String {
        guard row.definition.enabled else {
            return "is paused, until: shufflenetd schedule resume \(row.definition.name)"
        }
        guard let next = row.expectedFire else { return "never fires" }
        return "fires next at \(JobReport.time(next)), local time"
    }
}
