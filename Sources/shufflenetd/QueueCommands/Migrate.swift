import ArgumentParser
import Daemon
import Foundation
import JobQueue
import Postgres

/// Makes or upgrades the queue's schema. The daemon does the same at its start.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Makes or upgrades the queue's schema in the database.")

    @OptionGroup var place: PlaceOptions

    @Option(help: "A libpq connection string, instead of the configured one.")
    var database: String?

    func run() async throws {
        let configuration = try await place.load(adding: ["database": database])
        do {
            var started: PrivateCluster?
            if configuration.database == nil {
                let cluster = PrivateCluster(state: configuration.state)
                if try await cluster.start() != .adopted { started = cluster }
            }
            let applied = try await JobStore.migrate(try DatabaseAddress.settings(configuration))
            try await started?.stop()
            let steps = applied.map(String.init).joined(separator: ", ")
            print(applied.isEmpty ? "the schema is up to date" : "applied migrations \(steps)")
        } catch {
            complain("\(error)")
            throw ExitCode.failure
        }
    }
}
