import Foundation
import ShuffleNet
import SwiftProtobuf
import TestSupport
import Testing

@testable import Checkpoints

/// What the graph says; that other programs compute from it what the engine does is for `Tests/ONNX/run-onnxruntime`.
@Suite struct ONNXTests {
    @Test("every value of the network is in the graph, bit for bit, and each name is written before it is read")
    func valuesAndOrder() throws {
        let model = try ModelFile(path: Fixture.path("golden/g3_0.5x/after_3_steps.ckpt"))
        let file = try written(model, pixels: 224)
        var constants: [String: ONNXTensor] = [:]
        for tensor in file.graph.initializer {
            #expect(constants.updateValue(tensor, forKey: tensor.name) == nil, "\(tensor.name) is there twice")
        }
        var grouped: [String: Data] = [:]
        for array in model.parameters {
            if let range = array.name.range(of: #"convs\.[0-9]+"#, options: .regularExpression) {
                grouped[array.name.replacingCharacters(in: range, with: "convs"), default: Data()] += array.bytes
            } else {
                #expect(constants[array.name]?.rawData == Data(array.bytes), "\(array.name)")
                #expect(constants[array.name]?.dims.map(Int.init) == array.shape, "\(array.name)")
            }
        }
        #expect(grouped.count == 32)
        for (name, bytes) in grouped {
            #expect(constants[name]?.rawData == bytes, "\(name)")
            #expect(constants[name]?.dims.reduce(4, *) == Int64(bytes.count), "\(name)")
        }
        var known = Set(constants.keys).union(file.graph.input.map(\.name))
        for node in file.graph.node {
            #expect(known.isSuperset(of: node.input), "\(node.name) reads \(Set(node.input).subtracting(known))")
            for output in node.output { #expect(known.insert(output).inserted, "\(output) is written twice") }
        }
        #expect(known.isSuperset(of: file.graph.output.map(\.name)))
    }

    @Test("the card goes along, what only a training needs does not")
    func metadata() throws {
        let network = Network(configuration: .init(size: .half, groups: .eight, classes: 3), seed: 1)
        let card = ModelCard(classNames: ["a", "b", "ć"], preprocessing: "{}", training: "{}", runState: "{}")
        let file = try written(ModelFile(network: network, card: card), pixels: 64)
        let texts = Dictionary(uniqueKeysWithValues: file.metadataProps.map { ($0.key, $0.value) })
        #expect(
            texts == [
                "shufflenetd.model_size": "0.5x", "shufflenetd.groups": "8", "shufflenetd.classes": #"["a","b","ć"]"#,
                "shufflenetd.preprocessing": "{}", "shufflenetd.training": "{}",
            ])
        let shapes = (file.graph.input + file.graph.output).map { value in
            value.type.tensorType.shape.dim.map { $0.dimParam.isEmpty ? "\($0.dimValue)" : $0.dimParam }
        }
        #expect(shapes == [["batch", "3", "64", "64"], ["batch", "3"]])
    }

    @Test("a pool that pads unevenly says so on each side", arguments: [(224, [0, 0, 1, 1]), (65, [1, 1, 1, 1])])
    func padding(pixels: Int, wanted: [Int64]) throws {
        let network = Network(configuration: .init(size: .half, groups: .three, classes: 2), seed: 1)
        let file = try written(ModelFile(network: network, card: ModelCard()), pixels: pixels)
        let pool = try #require(file.graph.node.first { $0.opType == "MaxPool" })
        #expect(pool.attribute.first { $0.name == "pads" }?.ints == wanted)
    }

    @Test("it is not read again, and the error says what is")
    func reading() {
        let error = #expect(throws: CheckpointError.self) { try ModelFile(path: "flowers.onnx") }
        #expect(error?.file == "flowers.onnx" && error?.problem.contains("wanted the .ckpt") == true)
    }

    private func written(_ model: ModelFile, pixels: Int) throws -> ONNXModel {
        try TemporaryFolder.use { folder in
            let path = folder + "/m.onnx"
            try model.writeONNX(pixels: pixels, to: path)
            return try ONNXModel(serializedBytes: Data(contentsOf: URL(fileURLWithPath: path)))
        }
    }
}
