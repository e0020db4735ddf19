import ArgumentParser
import Foundation

/// How many threads a run's engine takes.
struct ThreadsOption: ParsableArguments {
    @Option(help: "Threads for the engine, 1 to 1024; default: all cores.")
    var threads: Int?

    /// The number asked for, else the number of cores.
    var count: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads); wanted 1 to 1024")
        }
    }
}
