import Kernels
import ShuffleNet

/// ShuffleNet V1 in evaluation mode, layer by layer, in operators of ONNX's opset 13
/// (https://github.com/onnx/onnx/blob/main/docs/Operators.md).
///
/// Arrays keep their names; the weights of a group convolution, which MindSpore has group by group, are one after the
/// other what ONNX takes as one: `….convs.weight`, `[outputs, inputs / groups, 1, 1]`. Batch norms stay apart, programs
/// that run the graph fold them.
struct ONNXNetwork {
    static let operatorSet = 13

    private let model: ModelFile
    private let arrays: [String: NamedTensor]
    private var builder = ONNXGraphBuilder(name: "ShuffleNetV1")

    private init(_ model: ModelFile) {
        self.model = model
        arrays = Dictionary(uniqueKeysWithValues: model.parameters.map { ($0.name, $0) })
    }

    /// From images `[batch, 3, pixels, pixels]` to logits `[batch, classes]`, for any batch.
    static func graph(of model: ModelFile, pixels: Int) -> ONNXGraph {
        var network = ONNXNetwork(model)
        network.addAll(NetworkGeometry(model.configuration, pixels: pixels), pixels: pixels)
        return network.builder.graph
    }

    private mutating func addAll(_ geometry: NetworkGeometry, pixels: Int) {
        let side = ONNXShape.Dimension.OneOf_Extent.dimValue(Int64(pixels))
        builder.addInput(
            "images", shape: [.dimParam("batch"), .dimValue(3), side, side],
            about: "Red, green and blue of pictures, normalised as \(ModelCard.Key.preprocessing.rawValue) says.")
        var last = addStem(geometry.stem)
        for unit in geometry.units { last = addUnit(unit, of: last) }
        last = builder.add("GlobalAveragePool", "globalpool", of: [last])
        last = builder.add("Flatten", "flatten", of: [last])
        last = builder.add(
            "Gemm", "logits", of: [last, constant("classifier.weight"), constant("classifier.bias")],
            ["transB": .int(1)])
        builder.addOutput(
            last, shape: [.dimParam("batch"), .dimValue(Int64(model.configuration.classes))],
            about: "In the order of \(ModelCard.Key.classes.rawValue); softmax makes probabilities of them.")
    }

    private mutating func addStem(_ stem: PlacedStem) -> String {
        let convolved = addWindow("first_conv.0", of: "images", stem.convolution, groups: 1)
        let active = addReLU("first_conv.2", of: addNorm("first_conv.1", of: convolved))
        return builder.add("MaxPool", "maxpool", of: [active], Self.window(stem.pool))
    }

    private mutating func addUnit(_ unit: PlacedUnit, of input: String) -> String {
        let (shape, prefix) = (unit.shape, unit.prefix)
        let reduced = addPointwise(prefix + "branch_main_1.0", of: input, groups: shape.reduceGroups)
        let active = addReLU(prefix + "branch_main_1.2", of: addNorm(prefix + "branch_main_1.1", of: reduced))
        let shuffled = addShuffle(prefix + "channel_shuffle", of: active, unit)
        let convolved = addWindow(prefix + "branch_main_2.0", of: shuffled, unit.window, groups: shape.middle)
        let expanded = addPointwise(
            prefix + "branch_main_2.2", of: addNorm(prefix + "branch_main_2.1", of: convolved), groups: shape.groups)
        let branch = addNorm(prefix + "branch_main_2.3", of: expanded)
        let joined: String
        if let window = unit.shortcut {
            // Padding counts in no average: count_include_pad is 0 unless said otherwise.
            let shortcut = builder.add("AveragePool", prefix + "branch_proj", of: [input], Self.window(window))
            joined = builder.add("Concat", prefix + "cat", of: [shortcut, branch], ["axis": .int(1)])
        } else {
            joined = builder.add("Add", prefix + "add", of: [input, branch])
        }
        return addReLU(prefix + "relu", of: joined)
    }

    /// `out[j·n + i] = in[i·g + j]`, g groups and n = channels / g, as the document's code has it.
    private mutating func addShuffle(_ name: String, of input: String, _ unit: PlacedUnit) -> String {
        let (height, width) = (unit.window.inHeight, unit.window.inWidth)
        let (channels, groups) = (unit.shape.middle, unit.shape.groups)
        // 0 stands for what the input has there: the batch.
        builder.addConstant(name + ".split", [0, channels / groups, groups, height, width])
        builder.addConstant(name + ".joined", [0, channels, height, width])
        let split = builder.add("Reshape", name + ".reshape", of: [input, name + ".split"])
        let turned = builder.add("Transpose", name + ".transpose", of: [split], ["perm": .ints([0, 2, 1, 3, 4])])
        return builder.add("Reshape", name, of: [turned, name + ".joined"])
    }

    private mutating func addPointwise(_ name: String, of input: String, groups: Int) -> String {
        let parts = (0..<groups).map { array("\(name).convs.\($0).weight") }
        let weight = "\(name).convs.weight"
        builder.addConstant(
            weight, shape: [parts.reduce(0) { $0 + $1.shape[0] }] + parts[0].shape.dropFirst(),
            float32: parts.flatMap(\.bytes))
        return builder.add(
            "Conv", name, of: [input, weight], ["kernel_shape": .ints([1, 1]), "group": .int(groups)])
    }

    /// A 3×3 convolution.
    private mutating func addWindow(_ name: String, of input: String, _ window: PlaneWindow, groups: Int) -> String {
        builder.add(
            "Conv", name, of: [input, constant(name + ".weight")],
            [
                "kernel_shape": .ints([3, 3]), "strides": .ints([window.stride, window.stride]),
                "pads": .ints([1, 1, 1, 1]), "group": .int(groups),
            ])
    }

    private mutating func addNorm(_ name: String, of input: String) -> String {
        let arrays = ["gamma", "beta", "moving_mean", "moving_variance"].map { constant("\(name).\($0)") }
        return builder.add(
            "BatchNormalization", name, of: [input] + arrays, ["epsilon": .float(Float(BatchNorm.epsilon))])
    }

    private mutating func addReLU(_ name: String, of input: String) -> String {
        builder.add("Relu", name, of: [input])
    }

    /// A 3×3 pool's attributes. ONNX wants what is padded after the last row and column as well.
    private static func window(_ window: PlaneWindow) -> KeyValuePairs<String, ONNXGraphBuilder.Attribute> {
        func after(_ size: Int, _ out: Int, _ before: Int) -> Int {
            max((out - 1) * window.stride + 3 - size - before, 0)
        }
        let (top, left) = (window.padTop, window.padLeft)
        return [
            "kernel_shape": .ints([3, 3]), "strides": .ints([window.stride, window.stride]),
            "pads": .ints([
                top, left, after(window.inHeight, window.outHeight, top), after(window.inWidth, window.outWidth, left),
            ]),
        ]
    }

    /// Puts one of the model's arrays into the graph under its own name.
    private mutating func constant(_ name: String) -> String {
        let array = array(name)
        builder.addConstant(name, shape: array.shape, float32: array.bytes)
        return name
    }

    private func array(_ name: String) -> NamedTensor {
        guard let array = arrays[name] else { preconditionFailure("a whole model has the array \(name.quoted)") }
        return array
    }
}
