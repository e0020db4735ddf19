public import Kernels

/// The kernels, compiled for this module's instruction set.
public struct LaneKernels: KernelSet {
    public init() {}
}
