import Checkpoints
import Foundation

/// Writes a model into another file: in the other format, or without what only a training needs.
public enum ModelExport {
    private static let endings = ["ckpt", "safetensors"]

    /// - Parameters:
    ///   - out: a new file, whose ending says which format it gets: MindSpore's `.ckpt`, or `.safetensors`.
    ///   - weightsOnly: leaves out the optimiser's and the run's state.
    public static func execute(model: String, out: String, weightsOnly: Bool) throws(RunFailure) {
        try reportingAsFailure {
            guard endings.contains((out as NSString).pathExtension) else {
                throw RunFailure.badInput("'\(out)' is to be a model; wanted a name that ends in .ckpt or .safetensors")
            }
            guard !FileManager.default.fileExists(atPath: out) else {
                throw RunFailure.badInput("'\(out)' is there already; wanted a new name")
            }
            var file = try TrainedModel.file(at: model)
            if weightsOnly {
                file.optimizer = nil
                file.card.runState = nil
            }
            try file.write(to: out)
        }
    }
}
