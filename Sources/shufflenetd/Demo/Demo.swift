import ArgumentParser
import Foundation
import JobQueue
import Postgres

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show everything at work: private PostgreSQL, daemon, all kinds of job, through the spool and SQL.",
        discussion:
            "Draws its own small data set. Takes a few minutes on two cores and leaves its files for you to look at.")

    @Option(help: ArgumentHelp("A folder that does not exist yet; default: a new one under /tmp.", valueName: "dir"))
    var state: String?

    func run() async throws {
        let tour = Task { try await show() }
        let request = TerminationRequest { tour.cancel() }
        defer { withExtendedLifetime(request) {} }
        try await tour.value
    }

    private func show() async throws {
        let state = self.state ?? "/tmp/shufflenetd-demo-\(ProcessInfo.processInfo.processIdentifier)"
        guard !FileManager.default.fileExists(atPath: state) else {
            throw ValidationError("'\(state)' exists; name a folder that does not, the demonstration fills it")
        }
        let folders = try DemoFolders(state: state)
        say("1. Drawing pictures of \(ShapePictures.classNames.joined(separator: "s, "))s in \(state)")
        try folders.draw()

        say("2. Starting the daemon with a private PostgreSQL (log: \(folders.log))")
        try await DemoDaemon(folders: folders).serving { store in
            let tour = DemoTour(folders: folders, store: store)
            say("3. Through the spool: three folders are dropped, one after the other")
            try await tour.throughTheSpool()
            say("4. Through SQL: three rows are inserted")
            try await tour.throughSQL()
            say("5. What the queue says")
            try await tour.printJobs()
        }
        say("6. What came out")
        try DemoReport(folders: folders).show()
        say("The daemon has stopped. Everything is in \(state); remove it when you have seen it.")
    }
}

/// Prints a line at once, also when the output is no terminal: who waits for minutes wants to see how far it is.
func say(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}
