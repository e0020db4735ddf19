import ArgumentParser
import Checkpoints
import Daemon
import Foundation

/// Looks whether everything a daemon needs is there.
struct Diagnose: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract:
            "Looks whether a daemon of this configuration could do its work: a line a finding, exit status 1 if any.")

    @OptionGroup var place: PlaceOptions

    func run() async throws {
        let doctor = Doctor(configuration: try await place.load()) { path in
            let summary = try CheckpointSummary(path: path)
            if summary.configuration == nil { throw ValidationError(summary.problem ?? "it holds no network") }
        }
        let findings = await doctor.run()
        for finding in findings { print(finding) }
        if !findings.isEmpty { throw ExitCode.failure }
        print("nothing found; looked at: \(Doctor.checks.joined(separator: ", "))")
    }
}
