import ArgumentParser
import Dispatch
import Glibc

/// Where the program begins.
@main
enum Entry {
    /// What this program starts of itself runs here and now, on the only thread there is. What a helper shuts itself in with
    /// holds for the thread that asks for it: an asynchronous `main` would have gone on to another one, and left the first
    /// outside.
    static func main() {
        runChild()
        Task {
            await Shufflenetd.begin()
            exit(0)
        }
        dispatchMain()
    }

    /// Returns when the command is none of those.
    private static func runChild() {
        let words = CommandLine.arguments.dropFirst()
        let rest = Array(words.dropFirst())
        switch words.first {
        case DecodeHelper.configuration.commandName: DecodeHelper.main(rest)
        case UnpackHelper.configuration.commandName: UnpackHelper.main(rest)
        case RunJob.configuration.commandName: RunJob.main(rest)
        default: break
        }
    }
}
