import Checkpoints
import Foundation
import ShuffleNet
import Support
import TestSupport
import Testing

/// Files for `Tests/ONNX/check.py`, left in the folder that `ONNX_OUT` names: models, and beside each images and the logits
/// that they give.
@Suite struct FilesForONNXRuntimeTests {
    @Test func modelsWithImagesAndLogitsAreWritten() throws {
        try TemporaryFolder.use(orKept: "ONNX_OUT") { try write(into: $0) }
    }

    private func write(into folder: String) throws {
        // The document's framework made these logits.
        for golden in GoldenFolder.all(.network) {
            var model = try ModelFile(path: "\(golden.path)/initial.ckpt")
            model.card.classNames = (0..<model.configuration.classes).map { "klasse \($0) 花" }
            let tensors = try golden.tensors()
            let images = try #require(tensors["input"])
            let logits = try #require(tensors["eval_logits"])
            try model.writeONNX(pixels: images.shape[3], to: "\(folder)/\(golden.name).onnx")
            try SafeTensors.write(
                Checkpoint(tensors: [renamed(images, "images"), renamed(logits, "logits")]),
                to: "\(folder)/\(golden.name).safetensors")
        }
        // And our engine these, for sizes that pad in other ways.
        for (size, groups, pixels) in [
            (ModelSize.half, GroupCount.eight, 64), (.full, .three, 65), (.oneAndHalf, .eight, 97),
            (.double, .three, 33),
        ] {
            let model = try varied(NetworkConfiguration(size: size, groups: groups, classes: 7))
            let name = "\(folder)/g\(groups.rawValue)_\(size.rawValue)_\(pixels)"
            try model.writeONNX(pixels: pixels, to: name + ".onnx")
            var random = SeededGenerator(seed: 5)
            let images = (0..<3 * 3 * pixels * pixels).map { _ in Float.random(in: -2...2, using: &random) }
            let session = InferenceSession(
                network: model.makeNetwork(), pixels: pixels, maximumBatch: 3, pool: ThreadPool(threads: 1))
            var logits = [Float](repeating: 0, count: 3 * 7)
            session.run(images: images, count: 3, logits: &logits)
            #expect(logits.allSatisfy(\.isFinite) && Set(logits).count == logits.count)
            try SafeTensors.write(
                Checkpoint(tensors: [
                    NamedTensor(name: "images", shape: [3, 3, pixels, pixels], elements: images),
                    NamedTensor(name: "logits", shape: [3, 7], elements: logits),
                ]), to: name + ".safetensors")
        }
    }

    /// A network whose batch norms do something, each in its own way.
    private func varied(_ configuration: NetworkConfiguration) throws -> ModelFile {
        let network = Network(configuration: configuration, seed: 3)
        var random = SeededGenerator(seed: 4)
        for array in network.parameters {
            let range: ClosedRange<Float>? =
                switch array.kind {
                case .gamma, .movingVariance: 0.5...1.5
                case .beta, .movingMean, .denseBias: -0.5...0.5
                case .convolution, .denseWeight: nil
                }
            guard let range else { continue }
            let values = (0..<array.count).map { _ in Float.random(in: range, using: &random) }
            try network.setValues(values, of: array.name)
        }
        return ModelFile(network: network, card: ModelCard(classNames: (0..<7).map { "class \($0)" }))
    }

    private func renamed(_ tensor: NamedTensor, _ name: String) -> NamedTensor {
        NamedTensor(name: name, shape: tensor.shape, elementType: tensor.elementType, bytes: tensor.bytes)
    }
}
