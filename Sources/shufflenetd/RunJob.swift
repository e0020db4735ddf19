import ArgumentParser
import Daemon
import Foundation
import Glibc

/// The child's side of a job. The daemon starts it; nobody else has a use for it, and `Entry` alone knows of it.
struct RunJob: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run-job", abstract: "Runs one job for the daemon.")

    // Not async: the run takes this thread, and the cooperative pool stays out of it.
    func run() throws {
        let status = ChildProgram.run()
        fflush(nil)
        Glibc.exit(status)
    }
}
