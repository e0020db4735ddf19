import Kernels
import ShuffleNet
import Support

/// One product's matrices.
final class ProductBench<Scalar: ActivationScalar> {
    /// Columns that the engine gives a product at the least.
    private static var columns: Int { 784 }

    private let shape: ProductShape
    private let columns: Int
    private let kernels: any ActivationKernels<Scalar>
    private let stride: Int
    private let weights: AlignedBuffer<Float>
    private let memory: AlignedBuffer<Float>
    private let packed: PackedWeights
    /// Not private, so that a test can poison a value.
    let input: AlignedBuffer<Scalar>
    private let output: AlignedBuffer<Scalar>
    private let gradient: AlignedBuffer<Float>

    init(_ shape: ProductShape, _ set: any KernelSet) {
        self.shape = shape
        columns = max(1, Self.columns / shape.area) * shape.area
        kernels = Scalar.kernels(of: set)
        stride = ProductShape.stride(columns: columns, of: Scalar.self)
        var generator = SeededGenerator(seed: 0)
        func noise(_ count: Int) -> [Float] { (0..<count).map { _ in 2 * generator.nextUnit() - 1 } }
        weights = AlignedBuffer(noise(shape.rows * shape.inner))
        memory = AlignedBuffer(count: PackedWeights.count(rows: shape.rows, columns: shape.inner))
        packed = PackedWeights(memory.pointer, rows: shape.rows, columns: shape.inner)
        // A vector past the last row's end may be read.
        input = AlignedBuffer(noise(shape.inner * stride + KernelSlack.after).map(Scalar.init(rounding:)))
        output = AlignedBuffer(noise(shape.rows * stride + KernelSlack.after).map(Scalar.init(rounding:)))
        gradient = AlignedBuffer(count: weights.count)
        kernels.pack(
            [WeightBlock(weights.pointer, rowStride: shape.inner, columns: shape.inner)], into: packed, inputSize: 0.5)
    }

    private func product(_ out: AlignedBuffer<Scalar>) -> PointwiseProduct<Scalar> {
        PointwiseProduct(
            packed, columns: columns, .init(input.pointer, stride: stride, rows: shape.inner), out: out.pointer,
            outStride: stride)
    }

    private func correlation(_ out: AlignedBuffer<Float>) -> RowCorrelation<Scalar> {
        RowCorrelation(
            .init(output.pointer, stride: stride, rows: shape.rows),
            .init(input.pointer, stride: stride, rows: shape.inner), columns: columns, accumulates: false,
            out: out.pointer, outStride: shape.inner)
    }

    var trials: [KernelTrial] {
        let operations = 2 * Double(shape.rows * shape.inner * columns)
        let size = MemoryLayout<Scalar>.stride
        let bytes = Double(size * (shape.rows + shape.inner) * columns + 4 * shape.rows * shape.inner)
        func trial(_ name: String, _ difference: @escaping () -> Float, _ call: @escaping () -> Void) -> KernelTrial {
            KernelTrial(
                kernel: name, shape: "\(shape.rows)×\(shape.inner)×\(columns)", operations: operations, bytes: bytes,
                difference: difference, call: call)
        }
        return [
            trial(shape.name, multiplyError, multiply),
            trial(shape.name + " weight gradient", correlateError, correlate),
        ]
    }

    private func multiply() { kernels.multiply(product(output)) }

    private func correlate() { kernels.correlate(correlation(gradient)) }

    /// The largest difference from the plain form, relative where values are larger than 1.
    private func multiplyError() -> Float {
        let wanted = AlignedBuffer<Scalar>(count: output.count)
        product(wanted).reference(weights: weights.pointer)
        multiply()
        var largest: Float = 0
        for row in 0..<shape.rows {
            for index in row * stride..<row * stride + columns {
                largest = largerDifference(
                    largest, KernelTrial.difference(output.pointer[index].float, wanted.pointer[index].float))
            }
        }
        return largest
    }

    private func correlateError() -> Float {
        let wanted = AlignedBuffer<Float>(count: gradient.count)
        correlation(wanted).reference()
        correlate()
        return (0..<gradient.count).reduce(0) {
            largerDifference($0, KernelTrial.difference(gradient.pointer[$1], wanted.pointer[$1]))
        }
    }
}
