import KernelSets
import Kernels
import Testing
import VectorKernelsWide

/// A form of the kernels that this machine can run.
struct KernelsUnderTest: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let kernels: any KernelSet
    /// Whether products of float32 are made by fast inner products.
    let hasFastInnerProducts: Bool

    /// Every supported set, and the sixteen-lane forms where the CPU can run them as AVX2 code.
    static let all: [KernelsUnderTest] =
        InstructionSet.supported.map {
            KernelsUnderTest(
                testDescription: $0.rawValue, kernels: $0.kernels, hasFastInnerProducts: $0 == .v4BFloat16Fast)
        } + (InstructionSet.v3.isSupported ? [false, true].map(sixteenLanes) : [])

    private static func sixteenLanes(fast: Bool) -> KernelsUnderTest {
        KernelsUnderTest(
            testDescription: fast ? "sixteen lanes, fast inner products" : "sixteen lanes",
            kernels: VectorKernelsWide.LaneKernels(prefersFastInnerProducts: fast), hasFastInnerProducts: fast)
    }
}
