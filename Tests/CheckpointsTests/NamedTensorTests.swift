import Checkpoints
import Testing

@Suite struct NamedTensorTests {
    @Test func everyFloatingTypeConvertsToFloats() throws {
        let values: [Float] = [1, -2.5, 0.15625]
        let tensors = [
            NamedTensor(name: "a", shape: [3], elements: values),
            NamedTensor(name: "a", shape: [3], elements: values.map(Double.init)),
            NamedTensor(name: "a", shape: [3], elements: values.map(Float16.init)),
            NamedTensor(
                name: "a", shape: [3], elementType: .bfloat16, bytes: [0x80, 0x3F, 0x20, 0xC0, 0x20, 0x3E]),
        ]
        for tensor in tensors { #expect(try tensor.floats() == values) }
    }

    @Test func wholeNumbersAreNoFloats() {
        let tensor = NamedTensor(name: "n", shape: [1], elements: [Int64(1)])
        #expect(throws: CheckpointError("tensor 'n' holds int64 values, wanted were floating-point values")) {
            try tensor.floats()
        }
    }
}
