import ArgumentParser
import Daemon
import Foundation
import KernelSets

struct Shufflenetd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shufflenetd",
        abstract: "Trains, evaluates and bulk-classifies images with ShuffleNet V1 on the CPU.",
        version: DaemonRuntime.version,
        subcommands: [
            Demo.self, Train.self, Evaluate.self, Classify.self, Inspect.self, Export.self, Bench.self, Serve.self,
            Submit.self,
            Jobs.self,
            Show.self, Cancel.self, Retry.self, Hold.self, Release.self, Pause.self, Resume.self, Logs.self,
            Schedule.self, Migrate.self, Diagnose.self,
        ])

    /// What is wrong with the environment is said before any work.
    static func begin() async {
        if let mistake = InstructionSet.mistake {
            FileHandle.standardError.write(Data("Error: \(mistake)\n".utf8))
            exit(withError: ExitCode.validationFailure)
        }
        await main(nil)
    }
}
