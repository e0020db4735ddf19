import ArgumentParser
import JobQueue

/// Runs ended jobs again.
struct Retry: QueueCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Runs failed, cancelled or held jobs again, their limits counted anew.")

    @Argument(help: "The jobs' numbers.")
    var jobs: [JobID]

    @OptionGroup var place: PlaceOptions

    func run(_ queue: JobStore) async throws {
        for job in jobs {
            try await queue.retry(job)
            print("job \(job) waits to run again")
        }
    }
}

/// Keeps waiting jobs back.
struct Hold: QueueCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Keeps waiting jobs back until they are released.")

    @Argument(help: "The jobs' numbers.")
    var jobs: [JobID]

    @OptionGroup var place: PlaceOptions

    func run(_ queue: JobStore) async throws {
        for job in jobs {
            try await queue.hold(job)
            print("job \(job) is held")
        }
    }
}

/// Lets held jobs go.
struct Release: QueueCommand {
    static let configuration = CommandConfiguration(commandName: "release", abstract: "Lets held jobs go.")

    @Argument(help: "The jobs' numbers.")
    var jobs: [JobID]

    @OptionGroup var place: PlaceOptions

    func run(_ queue: JobStore) async throws {
        for job in jobs {
            try await queue.letGo(job)
            print("job \(job) is available")
        }
    }
}

/// Stops claims from a queue.
struct Pause: QueueCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Starts no more jobs of a queue; those that run go on.")

    @Argument(help: "The queue.")
    var queue = "default"

    @Option(help: "Why, for whoever looks.")
    var note: String?

    @OptionGroup var place: PlaceOptions

    func run(_ store: JobStore) async throws {
        try await store.pauseQueue(queue, note: note)
        print("queue '\(queue)' is paused")
    }
}

/// Lets a paused queue go on.
struct Resume: QueueCommand {
    static let configuration = CommandConfiguration(commandName: "resume", abstract: "Lets a paused queue go on.")

    @Argument(help: "The queue.")
    var queue = "default"

    @OptionGroup var place: PlaceOptions

    func run(_ store: JobStore) async throws {
        let wasPaused = try await store.resumeQueue(queue)
        print(wasPaused ? "queue '\(queue)' goes on" : "queue '\(queue)' was not paused")
    }
}
