import KernelSets
import Kernels
import ShuffleNet
import Support
import TestSupport
import Testing

@testable import Runs

/// What `bench kernels` does with a kernel that computes something else.
@Suite(.oneAtATime) struct KernelVerificationTests {
    private let configuration = NetworkConfiguration(size: .half, groups: .three, classes: 10)

    private func refuses(_ trial: KernelTrial) -> Bool {
        do throws(KernelBenchmark.WrongResult) {
            try KernelBenchmark.verify(trial, of: .portable, in: .float32, bound: 1e-3)
            return false
        } catch {
            return error.difference == .infinity
        }
    }

    @Test("A product that is right passes, and one with a value that is no number is refused")
    func product() throws {
        let shape = try #require(ProductShape.all(of: configuration, pixels: 32).first)
        let bench = ProductBench<Float>(shape, InstructionSet.portable.kernels)
        for trial in bench.trials { #expect(!refuses(trial), "\(trial.kernel)") }
        bench.input.pointer[0] = .nan
        for trial in bench.trials { #expect(refuses(trial), "\(trial.kernel)") }
    }

    @Test("A window's convolution that is right passes, and one with a value that is no number is refused")
    func window() throws {
        let shape = try #require(WindowShape.all(of: configuration, pixels: 32).first { $0.kind == .depthwise })
        let bench = WindowBench<Float>(shape, InstructionSet.portable.kernels)
        let forward = try #require(bench.trials.first)
        #expect(!refuses(forward))
        // The first of the plane itself.
        bench.plane.pointer[WindowBench<Float>.slack] = .nan
        #expect(refuses(forward))
    }
}
