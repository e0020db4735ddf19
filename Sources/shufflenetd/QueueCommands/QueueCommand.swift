import ArgumentParser
import Daemon
import Foundation
import JobQueue
import Logging
import Postgres

/// A command that speaks to the queue through its database.
protocol QueueCommand: AsyncParsableCommand {
    var place: PlaceOptions { get }
    func run(_ queue: JobStore) async throws
}

extension QueueCommand {
    func run() async throws {
        let configuration = try await place.load()
        do {
            var settings = try DatabaseAddress.settings(configuration)
            settings.applicationName = "shufflenetd command"
            var logger = Logger(label: "shufflenetd") { StreamLogHandler.standardError(label: $0) }
            logger.logLevel = .error
            let queue = JobStore(Database(settings, capacity: 1), logger: logger)
            try await run(queue)
            await queue.database.close()
        } catch let error as PostgresError {
            complain(sentence(error, configuration))
            throw ExitCode.failure
        } catch let error as CronExpression.Mistake {
            complain("\(error)")
            throw ExitCode.failure
        }
    }

    private func sentence(_ error: PostgresError, _ configuration: DaemonConfiguration) -> String {
        if error.isConnectionLost {
            let remedy =
                configuration.database == nil
                ? "is the daemon running? Start it with: shufflenetd serve --state \(configuration.state)"
                : "see the key database of the configuration"
            let message = error.message.split(separator: "\n").first ?? "no answer"
            return "the queue's database cannot be reached (\(message)); \(remedy)"
        }
        // Undefined table, function or schema: the daemon migrates at its start.
        if ["42P01", "42883", "3F000"].contains("\(error.sqlState)") {
            return "the database has no queue yet; make it with: shufflenetd migrate"
        }
        return [error.message, error.hint].compactMap { $0 }.joined(separator: ". ")
    }
}
