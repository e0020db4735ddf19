import ArgumentParser
import Glibc
import Spool

/// A process that takes one archive apart. The spool starts it; nobody else has a use for it, and `Entry` alone knows of
/// it.
struct UnpackHelper: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpack-helper", abstract: "Unpacks an archive for the spool.")

    @Argument(help: "Caps: entries, depth, bytes, ratio, free bytes.")
    var limits: [String] = []

    func run() throws {
        Glibc.exit(UnpackHelperProgram.run(limits))
    }
}
