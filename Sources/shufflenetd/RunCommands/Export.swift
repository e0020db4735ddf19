import ArgumentParser
import Runs

struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a checkpoint as MindSpore's .ckpt or as .safetensors.",
        discussion: "Names, shapes and classes stay what they are; every command here reads either.")

    @Argument(help: ArgumentHelp("The checkpoint.", valueName: "ckpt"))
    var model: String
    @Argument(help: ArgumentHelp("The new file; its ending says which format.", valueName: "file"))
    var out: String
    @Flag(help: "Leave out what only a training needs: half of the bytes.")
    var weightsOnly = false

    func run() async throws {
        do throws(RunFailure) {
            try ModelExport.execute(model: model, out: out, weightsOnly: weightsOnly)
        } catch {
            complain("\(error)")
            throw ExitCode(error.exitStatus)
        }
    }
}
