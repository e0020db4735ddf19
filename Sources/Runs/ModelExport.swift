import Checkpoints
import Foundation
import Images

/// Writes a model into another file: in another format, or without what only a training needs.
public enum ModelExport {
    private static let endings = ["ckpt", "safetensors", "onnx"]

    /// Returns what the model left open and was assumed, a sentence each; only ONNX wants to know.
    ///
    /// - Parameters:
    ///   - out: a new file, whose ending says which format it gets: MindSpore's `.ckpt`, `.safetensors`, or `.onnx`.
    ///   - weightsOnly: leaves out the optimiser's and the run's state. ONNX has no room for them.
    public static func execute(model: String, out: String, weightsOnly: Bool) throws(RunFailure) -> [String] {
        try reportingAsFailure {
            let ending = (out as NSString).pathExtension
            guard endings.contains(ending) else {
                throw RunFailure.badInput(
                    "'\(out)' is to be a model; wanted a name that ends in .ckpt, .safetensors or .onnx")
            }
            guard !FileManager.default.fileExists(atPath: out) else {
                throw RunFailure.badInput("'\(out)' is there already; wanted a new name")
            }
            var file = try TrainedModel.file(at: model)
            if ending == "onnx" {
                let known = try TrainedModel(file, path: model)
                file.card.classNames = known.classNames
                file.card.preprocessing = try known.preprocessing.json
                try file.writeONNX(pixels: known.preprocessing.pixels, to: out)
                return known.assumptions
            }
            try (weightsOnly ? file.weightsOnly : file).write(to: out)
            return []
        }
    }
}
