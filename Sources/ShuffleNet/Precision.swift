import Kernels

/// What activations and the operands of products are stored as; sums, statistics and master weights are float32.
public enum Precision: String, CaseIterable, Codable, Sendable, CustomStringConvertible {
    case float32 = "f32"
    /// Half the memory, 8 bits of precision; every CPU computes it, those with instructions for it faster.
    case bfloat16 = "bf16"

    public var description: String { rawValue }

    /// Of one stored value.
    var bytes: Int {
        switch self {
        case .float32: MemoryLayout<Float>.stride
        case .bfloat16: MemoryLayout<BFloat16>.stride
        }
    }
}
