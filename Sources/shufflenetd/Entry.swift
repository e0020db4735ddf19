import ArgumentParser
import Dispatch
import Glibc

/// Where the program begins.
@main
enum Entry {
    /// A helper runs here and now, on the only thread there is: what a process shuts itself in with holds for the thread
    /// that asks for it. An asynchronous `main` would have gone on to another one, and left the first outside.
    static func main() {
        runHelper()
        Task {
            await Shufflenetd.begin()
            exit(0)
        }
        dispatchMain()
    }

    /// Returns when the command is no helper's.
    private static func runHelper() {
        let words = CommandLine.arguments.dropFirst()
        let rest = Array(words.dropFirst())
        switch words.first {
        case DecodeHelper.configuration.commandName: DecodeHelper.main(rest)
        case UnpackHelper.configuration.commandName: UnpackHelper.main(rest)
        default: break
        }
    }
}
