public import KernelSets
import Kernels
public import ShuffleNet
import Support

/// Times single kernels at the network's real shapes on one thread, after comparing each with its plain form.
public struct KernelBenchmark: Sendable {
    /// One line of the benchmark's output.
    public struct Figure: Codable, Sendable {
        public var kernel: String
        public var instructionSet: String
        public var precision: Precision
        /// `rows×inner×columns` of a product, `height×width` of one plane under a window.
        public var shape: String
        public var nanoseconds: Double
        public var gigaflops: Double
        /// What is read and written once each, over the time.
        public var gigabytes: Double
        /// Of this machine's own peak in float32, measured in the same run: bfloat16 may come to 200.
        public var percentOfPeak: Double

        private enum CodingKeys: String, CodingKey {
            case kernel, precision, shape
            case instructionSet = "instruction_set"
            case nanoseconds = "ns"
            case gigaflops = "gflop_per_s"
            case gigabytes = "gb_per_s"
            case percentOfPeak = "percent_of_peak"
        }
    }

    /// A kernel that does not compute what its plain form does.
    public struct WrongResult: Error, CustomStringConvertible {
        let kernel: String
        let instructionSet: InstructionSet
        let precision: Precision
        let difference: Float
        let bound: Float

        public var description: String {
            """
            the \(instructionSet.rawValue) kernel of '\(kernel)' in \(precision.rawValue) is off by \(difference) from its \
            plain form; wanted at most \(bound)
            """
        }
    }

    private static let rounds = 9
    /// Seconds that a round should take at least.
    private static let duration = 0.004

    private let configuration: NetworkConfiguration
    private let pixels: Int

    public init(configuration: NetworkConfiguration, pixels: Int) {
        self.configuration = configuration
        self.pixels = pixels
    }

    /// The peaks first, then every product and every window, forward and as gradients, in both precisions.
    public func run(_ set: InstructionSet, report: (Figure) -> Void) throws {
        let kernels = set.kernels
        var kept: Float = 0
        let peakSeconds = best { kept += kernels.exercise(rounds: 100_000).sum }
        let peak = Double(kernels.exercise(rounds: 100_000).operations) / peakSeconds
        func figure(
            _ kernel: String, _ precision: Precision, _ shape: String, _ seconds: Double, operations: Double,
            bytes: Double
        ) -> Figure {
            Figure(
                kernel: kernel, instructionSet: set.rawValue, precision: precision, shape: shape,
                nanoseconds: seconds * 1e9, gigaflops: operations / seconds * 1e-9,
                gigabytes: bytes / seconds * 1e-9, percentOfPeak: operations / seconds / peak * 100)
        }
        report(figure("peak of multiply-adds", .float32, "", peakSeconds, operations: peak * peakSeconds, bytes: 0))
        let memory = AlignedBuffer<Float>(count: 64 << 20)
        let readSeconds = best { kept += Float(kernels.float32.sum(memory.pointer, memory.count)) }
        report(
            figure(
                "peak of reading memory", .float32, "\(memory.count)", readSeconds, operations: Double(memory.count),
                bytes: Double(4 * memory.count)))
        precondition(!kept.isNaN, "sums of finite values are finite")

        func run<Scalar: ActivationScalar>(_ precision: Precision, bound: Float, as _: Scalar.Type) throws {
            let products = ProductShape.all(of: configuration, pixels: pixels).flatMap {
                ProductBench<Scalar>($0, kernels).trials
            }
            let windows = WindowShape.all(of: configuration, pixels: pixels).flatMap {
                WindowBench<Scalar>($0, kernels).trials
            }
            for trial in products + windows {
                try Self.verify(trial, of: set, in: precision, bound: bound)
                report(
                    figure(
                        trial.kernel, precision, trial.shape, best(trial.call), operations: trial.operations,
                        bytes: trial.bytes))
            }
        }
        try run(.float32, bound: 1e-3, as: Float.self)
        // One unit in the last of eight places.
        try run(.bfloat16, bound: 1 / 128, as: BFloat16.self)
    }

    /// Throws `WrongResult` if the kernel is further from its plain form than `bound`, or either gives no number.
    static func verify(
        _ trial: KernelTrial, of set: InstructionSet, in precision: Precision, bound: Float
    ) throws(WrongResult) {
        let error = trial.difference()
        guard error <= bound else {
            throw WrongResult(
                kernel: trial.kernel, instructionSet: set, precision: precision, difference: error, bound: bound)
        }
    }

    /// Seconds of one call: the best round's mean.
    private func best(_ call: () -> Void) -> Double {
        func seconds(_ count: Int) -> Double {
            let start = ContinuousClock.now
            for _ in 0..<count { call() }
            return (ContinuousClock.now - start) / .seconds(1)
        }
        let count = max(1, Int(Self.duration / max(seconds(1), 1e-9)))
        return (0..<Self.rounds).map { _ in seconds(count) / Double(count) }.min() ?? 0
    }
}

/// A kernel with its operands, to be verified and then timed.
struct KernelTrial {
    let kernel: String
    let shape: String
    /// Floating-point operations, and bytes read and written once each.
    let operations: Double
    let bytes: Double
    /// Runs the kernel and its plain form: the largest difference, infinite where either gives no number.
    let difference: () -> Float
    let call: () -> Void

    /// Relative where values are larger than 1; infinite where either is no number.
    static func difference(_ found: Float, _ wanted: Float) -> Float {
        largerDifference(0, abs(found - wanted) / max(1, abs(wanted)))
    }
}
