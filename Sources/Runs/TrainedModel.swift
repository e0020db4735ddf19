import Checkpoints
import Foundation
import Images
import ShuffleNet

/// A model as the runs use it: a network, what its outputs are called, and how a picture becomes its input.
struct TrainedModel {
    let network: Network
    let classNames: [String]
    let preprocessing: Preprocessing
    /// Whether bfloat16 may stand in for float32; nil when that was never measured.
    let bfloat16Check: BFloat16Check?
    /// What the loss smooths labels by, as in the model's training; the source document's where that is not known.
    let labelSmoothing: Double
    /// What the file left open and had to be assumed, a sentence each, for the log.
    let assumptions: [String]

    init(network: Network, classNames: [String], preprocessing: Preprocessing) {
        self.network = network
        self.classNames = classNames
        self.preprocessing = preprocessing
        bfloat16Check = nil
        labelSmoothing = TrainingOptions().labelSmoothing
        assumptions = []
    }

    /// Of the training options that a checkpoint keeps (`TrainingOptions` as JSON), what a measurement wants to know.
    private struct TrainedWith: Decodable {
        var labelSmoothing: Double?
    }

    /// Opens a checkpoint, ours or MindSpore's. A file without a card is taken for one of the source document's: its
    /// preprocessing is CIFAR-10's at 224 px, its classes have numbers for names, or CIFAR-10's names when there are
    /// ten.
    init(path: String) throws {
        try self.init(Self.file(at: path), path: path)
    }

    static func file(at path: String) throws -> ModelFile {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw RunFailure.badInput("there is no checkpoint '\(path)'; wanted a .ckpt file of a ShuffleNet V1")
        }
        if isFolder.boolValue {
            throw RunFailure.badInput("'\(path)' is a folder; wanted a checkpoint, for instance the best.ckpt of a run")
        }
        return try ModelFile(path: path)
    }

    /// `path` is for messages.
    init(_ file: ModelFile, path: String) throws {
        var assumptions: [String] = []
        network = file.makeNetwork()
        if let names = file.card.classNames {
            var seen: Set<String> = []
            if let twice = names.first(where: { !seen.insert($0).inserted }) {
                throw RunFailure.badInput(
                    "checkpoint '\(path)' has two classes called '\(SafeText.escaped(twice))'; wanted a name of its own for each"
                )
            }
            classNames = names
        } else {
            let classes = file.configuration.classes
            classNames = classes == 10 ? CIFAR10Dataset.standardClassNames : (0..<classes).map { "class \($0)" }
            assumptions.append("'\(path)' names no classes; they are taken to be \(classNames.joined(separator: ", "))")
        }
        if let json = file.card.preprocessing {
            do {
                preprocessing = try JSONDecoder().decode(Preprocessing.self, from: Data(json.utf8))
            } catch {
                throw RunFailure.badInput(
                    "the preprocessing stored in checkpoint '\(path)' cannot be read; it may be of another version")
            }
            guard preprocessing.pixels >= NetworkConfiguration.minimumPixels else {
                throw RunFailure.badInput(
                    "the preprocessing stored in checkpoint '\(path)' makes pictures of \(preprocessing.pixels) px; "
                        + "wanted \(NetworkConfiguration.minimumPixels) or more")
            }
        } else {
            preprocessing = .cifar10()
            assumptions.append("'\(path)' stores no preprocessing; pictures are stretched to 224 px as for CIFAR-10")
        }
        bfloat16Check = file.card.bfloat16Check
        let training = file.card.training.flatMap { try? JSONDecoder().decode(TrainedWith.self, from: Data($0.utf8)) }
        labelSmoothing = training?.labelSmoothing ?? TrainingOptions().labelSmoothing
        self.assumptions = assumptions
    }

    /// A network of random weights that stands for a model of `configuration` in a benchmark.
    static func random(configuration: NetworkConfiguration, pixels: Int) throws -> ModelFile {
        let card = ModelCard(
            classNames: (0..<configuration.classes).map { "class \($0)" },
            preprocessing: try Preprocessing.photographs(pixels: pixels).json)
        return ModelFile(network: Network(configuration: configuration, seed: 0), card: card)
    }
}

extension Encodable {
    /// The value as JSON with sorted keys, as it stands in a checkpoint or a result file.
    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}
