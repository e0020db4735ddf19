import Foundation
import SwiftProtobuf

/// A graph of ONNX operators while it is put together: every value is written once and called after its node.
struct ONNXGraphBuilder {
    enum Attribute {
        case float(Float)
        case int(Int)
        case ints([Int])
    }

    private(set) var graph = ONNXGraph()

    init(name: String) {
        graph.name = name
    }

    /// A float32 input. `shape` is of numbers, or of a name where an extent is open.
    mutating func addInput(_ name: String, shape: [ONNXShape.Dimension.OneOf_Extent], about text: String) {
        graph.input.append(Self.value(name, shape, text))
    }

    mutating func addOutput(_ name: String, shape: [ONNXShape.Dimension.OneOf_Extent], about text: String) {
        graph.output.append(Self.value(name, shape, text))
    }

    /// A constant of float32 values, `bytes` as little-endian.
    mutating func addConstant(_ name: String, shape: [Int], float32 bytes: [UInt8]) {
        addConstant(name, shape: shape, .float32, bytes)
    }

    /// A constant row of whole numbers; operators take shapes so.
    mutating func addConstant(_ name: String, _ numbers: [Int]) {
        let bytes = numbers.flatMap { number in withUnsafeBytes(of: Int64(number).littleEndian) { Array($0) } }
        addConstant(name, shape: [numbers.count], .int64, bytes)
    }

    /// A node with one output, called like itself. Returns that name.
    mutating func add(
        _ operation: String, _ name: String, of inputs: [String], _ attributes: KeyValuePairs<String, Attribute> = [:]
    ) -> String {
        graph.node.append(
            .with {
                $0.opType = operation
                $0.name = name
                $0.input = inputs
                $0.output = [name]
                $0.attribute = attributes.map(Self.attribute)
            })
        return name
    }

    private mutating func addConstant(
        _ name: String, shape: [Int], _ element: ONNXTensor.Element, _ bytes: [UInt8]
    ) {
        graph.initializer.append(
            .with {
                $0.name = name
                $0.dims = shape.map(Int64.init)
                $0.dataType = element
                $0.rawData = Data(bytes)
            })
    }

    private static func value(
        _ name: String, _ shape: [ONNXShape.Dimension.OneOf_Extent], _ text: String
    ) -> ONNXValueInfo {
        .with {
            $0.name = name
            $0.docString = text
            $0.type.tensorType.elemType = .float32
            $0.type.tensorType.shape.dim = shape.map { extent in .with { $0.extent = extent } }
        }
    }

    private static func attribute(_ name: String, _ value: Attribute) -> ONNXAttribute {
        .with {
            $0.name = name
            switch value {
            case .float(let number):
                $0.type = .float
                $0.f = number
            case .int(let number):
                $0.type = .int
                $0.i = Int64(number)
            case .ints(let numbers):
                $0.type = .ints
                $0.ints = numbers.map(Int64.init)
            }
        }
    }
}
