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
        /// `rows×inner×columns`.
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
    /// Columns that the engine gives a product at the least.
    private static let columns = 784

    private let configuration: NetworkConfiguration
    private let pixels: Int

    public init(configuration: NetworkConfiguration, pixels: Int) {
        self.configuration = configuration
        self.pixels = pixels
    }

    /// The peaks first, then every product, forward and as a gradient of weights, in both precisions.
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
        let readSeconds = best { kept += kernels.float32.sum(memory.pointer, memory.count) }
        report(
            figure(
                "peak of reading memory", .float32, "\(memory.count)", readSeconds, operations: Double(memory.count),
                bytes: Double(4 * memory.count)))
        precondition(!kept.isNaN, "sums of finite values are finite")

        func products<Scalar: ActivationScalar>(_ precision: Precision, bound: Float, as _: Scalar.Type) throws {
            for shape in ProductShape.all(of: configuration, pixels: pixels) {
                let columns = max(1, Self.columns / shape.area) * shape.area
                let bench = ProductBench<Scalar>(shape, columns: columns, kernels)
                let text = "\(shape.rows)×\(shape.inner)×\(columns)"
                let operations = 2 * Double(shape.rows * shape.inner * columns)
                let size = MemoryLayout<Scalar>.stride
                let bytes = Double(size * (shape.rows + shape.inner) * columns + 4 * shape.rows * shape.inner)
                for (name, difference, call) in [
                    (shape.name, bench.multiplyError, bench.multiply),
                    (shape.name + " weight gradient", bench.correlateError, bench.correlate),
                ] {
                    let error = difference()
                    guard error <= bound else {
                        throw WrongResult(
                            kernel: name, instructionSet: set, precision: precision, difference: error, bound: bound)
                    }
                    report(figure(name, precision, text, best(call), operations: operations, bytes: bytes))
                }
            }
        }
        try products(.float32, bound: 1e-3, as: Float.self)
        // One unit in the last of eight places.
        try products(.bfloat16, bound: 1 / 128, as: BFloat16.self)
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

/// One product's matrices.
private final class ProductBench<Scalar: ActivationScalar> {
    private let shape: ProductShape
    private let columns: Int
    private let kernels: any ActivationKernels<Scalar>
    private let stride: Int
    private let weights: AlignedBuffer<Float>
    private let packed: AlignedBuffer<Float>
    private let input: AlignedBuffer<Scalar>
    private let output: AlignedBuffer<Scalar>
    private let gradient: AlignedBuffer<Float>

    init(_ shape: ProductShape, columns: Int, _ set: any KernelSet) {
        self.shape = shape
        self.columns = columns
        kernels = Scalar.kernels(of: set)
        stride = ProductShape.stride(columns: columns, of: Scalar.self)
        var generator = SeededGenerator(seed: 0)
        func noise(_ count: Int) -> [Float] { (0..<count).map { _ in 2 * generator.nextUnit() - 1 } }
        weights = AlignedBuffer(noise(shape.rows * shape.inner))
        packed = AlignedBuffer(count: weights.count)
        // A vector past the last row's end may be read.
        input = AlignedBuffer(noise(shape.inner * stride + 32).map(Scalar.init(rounding:)))
        output = AlignedBuffer(noise(shape.rows * stride + 32).map(Scalar.init(rounding:)))
        gradient = AlignedBuffer(count: weights.count)
        kernels.pack(
            [WeightBlock(weights.pointer, rowStride: shape.inner, columns: shape.inner)], rows: shape.rows,
            into: packed.pointer)
    }

    private func product(_ out: AlignedBuffer<Scalar>) -> PointwiseProduct<Scalar> {
        PointwiseProduct(
            packed.pointer, rows: shape.rows, columns: columns,
            .init(input.pointer, stride: stride, rows: shape.inner), out: out.pointer, outStride: stride)
    }

    private func correlation(_ out: AlignedBuffer<Float>) -> RowCorrelation<Scalar> {
        RowCorrelation(
            .init(output.pointer, stride: stride, rows: shape.rows),
            .init(input.pointer, stride: stride, rows: shape.inner), columns: columns, accumulates: false,
            out: out.pointer, outStride: shape.inner)
    }

    func multiply() { kernels.multiply(product(output)) }

    func correlate() { kernels.correlate(correlation(gradient)) }

    /// The largest difference from the plain form, relative where values are larger than 1.
    func multiplyError() -> Float {
        let wanted = AlignedBuffer<Scalar>(count: output.count)
        product(wanted).reference(weights: weights.pointer)
        multiply()
        var largest: Float = 0
        for row in 0..<shape.rows {
            for index in row * stride..<row * stride + columns {
                largest = max(largest, Self.difference(output.pointer[index].float, wanted.pointer[index].float))
            }
        }
        return largest
    }

    func correlateError() -> Float {
        let wanted = AlignedBuffer<Float>(count: gradient.count)
        correlation(wanted).reference()
        correlate()
        return (0..<gradient.count).reduce(0) { max($0, Self.difference(gradient.pointer[$1], wanted.pointer[$1])) }
    }

    private static func difference(_ found: Float, _ wanted: Float) -> Float {
        abs(found - wanted) / max(1, abs(wanted))
    }
}
