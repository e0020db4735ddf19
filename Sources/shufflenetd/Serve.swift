import ArgumentParser
import Daemon
import Foundation
import Glibc
import KernelSets
import Logging

/// The service: takes jobs from the queue and folders from the spool until it is told to end.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Runs the daemon: spool, queue and workers.",
        discussion: """
            Without a configured database it makes and runs a private PostgreSQL under the state folder. SIGTERM drains: \
            running jobs write a checkpoint and go back to the queue; a second SIGTERM kills them.
            """)

    @OptionGroup var place: PlaceOptions

    @Option(help: "Jobs that run at the same time.")
    var workers: String?

    @Option(help: "Cores divided among the workers.")
    var threads: String?

    @Option(help: "How long a child that is asked to stop may take, for instance 30s.")
    var grace: String?

    @Option(help: "A libpq connection string, instead of a private PostgreSQL.")
    var database: String?

    @Option(help: "How much to log: trace, debug, info, notice, warning, error or critical.")
    var logLevel: String?

    @Flag(help: "Only check the configuration.")
    var check = false

    @Option(help: .hidden)
    var childProgram = "/proc/self/exe"

    @Option(help: .hidden)
    var killAfterStep: String?

    func run() async throws {
        let configuration = try await place.load(adding: [
            "workers": workers, "threads": threads, "grace": grace, "database": database, "log_level": logLevel,
        ])
        if check {
            print("the configuration is good; state folder '\(configuration.state)', \(configuration.workers) workers")
            return
        }
        var logger = Logger(label: "shufflenetd") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = configuration.logLevel
        logger.info("the engine computes with its kernels for \(InstructionSet.current.rawValue)")
        var runtime = DaemonRuntime(
            configuration: configuration, environment: ProcessInfo.processInfo.environment, logger: logger)
        runtime.childProgram = childProgram
        runtime.fatalStep = killAfterStep
        do {
            try await runtime.run()
        } catch {
            complain("\(error)")
            throw ExitCode.failure
        }
    }
}
