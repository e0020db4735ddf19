import ArgumentParser
import Daemon

@main
struct Shufflenetd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shufflenetd",
        abstract: "Trains, evaluates and bulk-classifies images with ShuffleNet V1 on the CPU.",
        version: DaemonRuntime.version,
        subcommands: [
            Demo.self, Train.self, Evaluate.self, Classify.self, Inspect.self, Bench.self, Serve.self, Submit.self,
            Jobs.self,
            Show.self, Cancel.self, Retry.self, Hold.self, Release.self, Pause.self, Resume.self, Logs.self,
            Schedule.self, Migrate.self, Diagnose.self, RunJob.self, DecodeHelper.self, UnpackHelper.self,
        ])
}
