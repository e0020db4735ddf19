/// A float of 16 bits with float32's range and 8 bits of precision: the upper half of a float32.
///
/// Source: "BFLOAT16 – Hardware Numerics Definition", Intel, 2018. Unlike that hardware, rounding keeps subnormals.
public struct BFloat16: Sendable, Hashable, BitwiseCopyable {
    public var bits: UInt16

    public init(bits: UInt16) { self.bits = bits }
}

/// What activations are stored as. Products of two, and their sums, are float32 whichever it is.
public protocol ActivationScalar: Sendable, Equatable, BitwiseCopyable {
    /// The nearest value, ties to even; NaN stays NaN.
    init(rounding value: Float)
    var float: Float { get }

    /// The loops over activations of this kind.
    static func kernels(of set: any KernelSet) -> any ActivationKernels<Self>
}

extension ActivationScalar {
    @inlinable
    public static var zero: Self { Self(rounding: 0) }
}

extension Float: ActivationScalar {
    @inlinable
    public init(rounding value: Float) { self = value }
    @inlinable
    public var float: Float { self }

    public static func kernels(of set: any KernelSet) -> any ActivationKernels<Float> { set.float32 }
}

extension BFloat16: ActivationScalar {
    @inlinable
    public init(rounding value: Float) {
        let pattern = value.bitPattern
        // Adding half of the last place carries into the upper half where it should; a NaN could carry into infinity.
        let rounded = pattern &+ 0x7fff &+ (pattern >> 16 & 1)
        bits = value.isNaN ? 0x7fc0 : UInt16(truncatingIfNeeded: rounded >> 16)
    }

    @inlinable
    public var float: Float { Float(bitPattern: UInt32(bits) << 16) }

    public static func kernels(of set: any KernelSet) -> any ActivationKernels<BFloat16> { set.bfloat16 }
}
