import ArgumentParser
import Daemon
import Foundation
import Glibc

/// Which daemon is meant: the same configuration and state folder as the daemon's own.
struct PlaceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The configuration file (YAML).", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The state folder.", valueName: "folder"))
    var state: String?

    /// Reads the configuration. Mistakes are told on standard error, all of them, and end the command with EX_CONFIG.
    func load(adding more: [String: String?] = [:]) async throws -> DaemonConfiguration {
        var flags = more.compactMapValues { $0 }
        flags["state"] = state
        do {
            return try await DaemonConfiguration.load(
                file: config, environment: ProcessInfo.processInfo.environment, flags: flags)
        } catch let error as ConfigurationError {
            complain("\(error)")
            throw ExitCode(EX_CONFIG)
        }
    }
}
