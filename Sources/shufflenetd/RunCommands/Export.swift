import ArgumentParser
import Runs

struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a checkpoint as MindSpore's .ckpt, as .safetensors, or as .onnx for other programs.",
        discussion: """
            In .ckpt and .safetensors names, shapes and classes stay what they are; every command here reads either. An \
            .onnx file holds the network as a graph from images [batch, 3, pixels, pixels], normalised as its metadata \
            says, to logits [batch, classes], and nothing that only a training needs.
            """)

    @Argument(help: ArgumentHelp("The checkpoint.", valueName: "ckpt"))
    var model: String
    @Argument(help: ArgumentHelp("The new file; its ending says which format.", valueName: "file"))
    var out: String
    @Flag(help: "Leave out what only a training needs: half of the bytes.")
    var weightsOnly = false

    func run() async throws {
        do throws(RunFailure) {
            for assumption in try ModelExport.execute(model: model, out: out, weightsOnly: weightsOnly) {
                print(assumption)
            }
        } catch {
            complain("\(error)")
            throw ExitCode(error.exitStatus)
        }
    }
}
