public import Kernels

/// The kernels, compiled for this module's instruction set.
public struct LaneKernels: KernelSet {
    /// Whether the CPU makes sums and products of vectors in different units.
    private let prefersFastInnerProducts: Bool

    public init(prefersFastInnerProducts: Bool = false) {
        self.prefersFastInnerProducts = prefersFastInnerProducts
    }

    public var float32: any ActivationKernels<Float> {
        Float32Kernels(prefersFastInnerProducts: prefersFastInnerProducts)
    }
    public var bfloat16: any ActivationKernels<BFloat16> { BFloat16Kernels() }
}

/// The loops over activations, written once for both forms.
protocol LaneActivationKernels: ActivationKernels where Scalar: LaneScalar {
    var prefersFastInnerProducts: Bool { get }
}

// Types without parameters, so that the loops are compiled for each.

struct Float32Kernels: LaneActivationKernels {
    typealias Scalar = Float
    let prefersFastInnerProducts: Bool
}

struct BFloat16Kernels: LaneActivationKernels {
    typealias Scalar = BFloat16
    var prefersFastInnerProducts: Bool { false }
}
