public import Kernels

/// The kernels, compiled for this module's instruction set.
public struct LaneKernels: KernelSet {
    public init() {}

    public var float32: any ActivationKernels<Float> { Float32Kernels() }
    public var bfloat16: any ActivationKernels<BFloat16> { BFloat16Kernels() }
}

/// The loops over activations, written once for both forms.
protocol LaneActivationKernels: ActivationKernels where Scalar: LaneScalar {}

// Types without parameters, so that the loops are compiled for each.

struct Float32Kernels: LaneActivationKernels {
    typealias Scalar = Float
}

struct BFloat16Kernels: LaneActivationKernels {
    typealias Scalar = BFloat16
}
