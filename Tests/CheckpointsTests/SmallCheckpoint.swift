import Checkpoints

/// Checkpoints of a few bytes.
enum SmallCheckpoint {
    static let pair = NamedTensor(name: "p", shape: [2], elements: [Float(1), -2])
    /// The CRC-32 of `pair`'s file in ten big-endian bytes, from Python's `binascii.crc32`.
    static let pairChecksum = "000000000000cdd52da7"

    /// Every type, a scalar, an empty tensor, texts.
    static let varied: Checkpoint = {
        var checkpoint = Checkpoint(tensors: [
            NamedTensor(
                name: "f32", shape: [2, 3], elements: [Float(1), -0.0, .nan, .infinity, .leastNonzeroMagnitude, -7.5]),
            NamedTensor(name: "f64", shape: [3], elements: [Double.pi, .leastNonzeroMagnitude, -.infinity]),
            NamedTensor(name: "f16", shape: [2], elements: [Float16(0.5), -65504]),
            NamedTensor(name: "bf16", shape: [2], elementType: .bfloat16, bytes: [0x80, 0x3F, 0x00, 0xC0]),
            NamedTensor(name: "i8", shape: [2], elements: [Int8.min, .max]),
            NamedTensor(name: "i16", shape: [2], elements: [Int16.min, .max]),
            NamedTensor(name: "i32", shape: [], elements: [Int32(-391)]),
            NamedTensor(name: "i64", shape: [1, 1, 2], elements: [Int64.min, .max]),
            NamedTensor(name: "u8", shape: [3], elements: [UInt8(0), 1, 255]),
            NamedTensor(name: "u16", shape: [1], elements: [UInt16.max]),
            NamedTensor(name: "u32", shape: [1], elements: [UInt32.max]),
            NamedTensor(name: "u64", shape: [1], elements: [UInt64.max]),
            NamedTensor(name: "bool", shape: [3], elements: [true, false, true]),
            NamedTensor(name: "empty", shape: [0, 4], elements: [Float]()),
        ])
        checkpoint.append("rosé, 花, 🌻", named: "text")
        checkpoint.append("", named: "no text")
        return checkpoint
    }()
}

extension [UInt8] {
    /// Bytes from hexadecimal digits; blanks are skipped.
    init(hex: String) {
        let digits = hex.compactMap(\.hexDigitValue)
        precondition(digits.count % 2 == 0, "half a byte in '\(hex)'")
        self = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
