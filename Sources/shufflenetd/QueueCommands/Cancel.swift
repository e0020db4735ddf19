import ArgumentParser
import JobQueue

/// Cancels jobs.
struct Cancel: QueueCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Cancels waiting jobs, and asks running ones to stop.")

    @Argument(help: "The jobs' numbers.")
    var jobs: [JobID]

    @OptionGroup var place: PlaceOptions

    func run(_ queue: JobStore) async throws {
        for job in jobs {
            switch try await queue.cancel(job) {
            case .cancelled: print("job \(job) is cancelled")
            case .cancelling: print("job \(job) is asked to stop")
            case .finished: print("job \(job) had ended before")
            }
        }
    }
}
