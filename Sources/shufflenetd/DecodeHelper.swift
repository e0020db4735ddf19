import ArgumentParser
import Glibc
import Images

/// A decoder process. A run starts it; nobody else has a use for it, and `Entry` alone knows of it.
struct DecodeHelper: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode-helper", abstract: "Decodes pictures for a run.")

    @Option(help: ArgumentHelp("Abort on files with this in their path, for tests.", valueName: "text"))
    var crashOn: String?

    @Option(
        help: ArgumentHelp(
            "Answer files with this in their path by what the process can do beyond reading, for tests.",
            valueName: "text"))
    var probeOn: String?

    func run() throws {
        Glibc.exit(DecodeHelperProgram.run(crashingOn: crashOn, probingOn: probeOn))
    }
}
