internal import CLanes
internal import Glibc
public import Kernels
internal import VectorKernels

#if arch(x86_64)
    internal import VectorKernelsV3
    internal import VectorKernelsV4
    internal import VectorKernelsV4BFloat16
#endif

/// An instruction set that the kernels are compiled for, by the names of the x86-64 psABI's levels.
public enum InstructionSet: String, CaseIterable, Sendable {
    /// Whatever the package itself is compiled for: any CPU of the architecture.
    case portable
    /// AVX2 and fused multiply-add.
    case v3 = "x86-64-v3"
    /// AVX-512.
    case v4 = "x86-64-v4"
    /// The same with AVX-512 BF16, which is of no level.
    case v4BFloat16 = "x86-64-v4+bf16"
    /// The same instructions in a way that suits CPUs with units for sums beside those for products (AMD's Zen 4): products
    /// of float32 by fast inner products.
    case v4BFloat16Fast = "x86-64-v4+bf16+fip"

    /// Names one of the sets by its raw value, for comparisons and for hunting a fault: it is used instead of the best.
    public static let environmentVariable = "SHUFFLENETD_INSTRUCTION_SET"

    /// The sets that this CPU and system can run, the best last.
    public static let supported: [InstructionSet] = allCases.filter(\.isSupported)

    /// What the engine computes with: chosen once, when first asked for. A wish that can't be met counts for nothing here;
    /// programs refuse it at their start, see `mistake`.
    public static let current: InstructionSet = wish.flatMap(supportedSet) ?? supported.last ?? .portable

    /// What is wrong with the environment's wish, a sentence; nil if there is none or it can be met.
    public static var mistake: String? {
        guard let wish, supportedSet(wish) == nil else { return nil }
        return
            "\(environmentVariable) is '\(wish)'; this machine has \(supported.map(\.rawValue).joined(separator: ", "))"
    }

    private static var wish: String? {
        guard let value = getenv(environmentVariable) else { return nil }
        let name = String(cString: value)
        return name.isEmpty ? nil : name
    }

    private static func supportedSet(_ name: String) -> InstructionSet? {
        InstructionSet(rawValue: name).flatMap { $0.isSupported ? $0 : nil }
    }

    public var isSupported: Bool {
        switch self {
        case .portable: true
        case .v3: clanes_has_v3() != 0
        case .v4: clanes_has_v4() != 0
        case .v4BFloat16: clanes_has_v4_bfloat16() != 0
        case .v4BFloat16Fast: clanes_has_v4_bfloat16_adders() != 0
        }
    }

    /// Whether products of bfloat16 have instructions of their own.
    public var hasBFloat16: Bool { self == .v4BFloat16 || self == .v4BFloat16Fast }

    /// The set's kernels; to be called only if it is supported.
    public var kernels: any KernelSet {
        switch self {
        case .portable: VectorKernels.LaneKernels()
        #if arch(x86_64)
            case .v3: VectorKernelsV3.LaneKernels()
            case .v4: VectorKernelsV4.LaneKernels()
            case .v4BFloat16: VectorKernelsV4BFloat16.LaneKernels()
            case .v4BFloat16Fast: VectorKernelsV4BFloat16.LaneKernels(prefersFastInnerProducts: true)
        #else
            case .v3, .v4, .v4BFloat16, .v4BFloat16Fast: VectorKernels.LaneKernels()
        #endif
        }
    }
}
