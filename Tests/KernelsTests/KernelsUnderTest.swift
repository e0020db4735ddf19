import KernelSets
import Kernels
import Testing
import VectorKernelsWide

/// A form of the kernels that this machine can run.
struct KernelsUnderTest: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let kernels: any KernelSet

    /// Every supported set, and the sixteen-lane form where the CPU can run it as AVX2 code.
    static let all: [KernelsUnderTest] =
        InstructionSet.supported.map { KernelsUnderTest(testDescription: $0.rawValue, kernels: $0.kernels) }
        + (InstructionSet.v3.isSupported
            ? [KernelsUnderTest(testDescription: "sixteen lanes", kernels: VectorKernelsWide.LaneKernels())] : [])
}
