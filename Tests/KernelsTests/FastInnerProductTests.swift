import Kernels
import Support
import TestSupport
import Testing

/// What products lose and keep when they are made from half as many multiplications.
@Suite(.oneAtATime) struct FastInnerProductTests {
    /// A product of rows behind a ReLU.
    private struct Case {
        let rows: Int
        let inner: Int
        let columns: Int
        var inputScale: Float = 1
        var weightScale: Float = 0.1
        /// Columns that are so many times larger.
        var large: (every: Int, factor: Float)?

        private var stride: Int { columns + 32 }
        private var weights: [Float] { noise(rows * inner).map { $0 * weightScale } }
        private var input: [Float] {
            noise(inner * stride, seed: 2).enumerated().map { index, value in
                let scaled = max(value, 0) * inputScale
                guard let large, index % stride % large.every == 0 else { return scaled }
                return scaled * large.factor
            }
        }
        /// Root mean square of `input`.
        var inputSize: Float { 0.408 * inputScale }

        /// W·x of some columns.
        func multiply(
            _ kernels: any ActivationKernels<Float>, inputSize: Float?, _ range: Range<Int>? = nil
        ) -> [Float] {
            let range = range ?? 0..<columns
            let memory = Guarded<Float>(count: PackedWeights.count(rows: rows, columns: inner))
            let packed = PackedWeights(memory.pointer, rows: rows, columns: inner)
            let out = Guarded<Float>(count: rows * stride)
            weights.withUnsafeBufferPointer { weights in
                input.withUnsafeBufferPointer { input in
                    kernels.pack(
                        [WeightBlock(weights.baseAddress!, rowStride: inner, columns: inner)], into: packed,
                        inputSize: inputSize)
                    kernels.multiply(
                        PointwiseProduct(
                            packed, columns: range.count,
                            .init(input.baseAddress! + range.lowerBound, stride: stride, rows: inner), out: out.pointer,
                            outStride: stride))
                }
            }
            return (0..<rows).flatMap { row in out.values[row * stride..<row * stride + range.count] }
        }

        /// The largest difference from float64, as a share of a row's and a column's length.
        func error(_ kernels: any ActivationKernels<Float>, inputSize: Float?) -> Double {
            let found = multiply(kernels, inputSize: inputSize)
            let (weights, input) = (weights, input)
            let length = Double(inner) * 0.577 * Double(weightScale * self.inputSize)
            var largest = 0.0
            for row in 0..<rows {
                for column in 0..<columns {
                    let sum = (0..<inner).reduce(0.0) {
                        $0 + Double(weights[row * inner + $1]) * Double(input[$1 * stride + column])
                    }
                    largest = largerDifference(largest, abs(Double(found[row * columns + column]) - sum))
                }
            }
            return largest / length
        }
    }

    @Test(
        "They lose no more than a digit of plain sums, whatever the size of inputs and weights",
        arguments: KernelsUnderTest.all)
    func precision(_ set: KernelsUnderTest) {
        for inner in [4, 27, 80, 320] {
            for (inputScale, weightScale) in [(1, 0.1), (1e-4, 3), (2e3, 1e-3), (1, 1)] as [(Float, Float)] {
                let shape = Case(
                    rows: 20, inner: inner, columns: 33, inputScale: inputScale, weightScale: weightScale)
                #expect(shape.error(set.kernels.float32, inputSize: shape.inputSize) <= 5e-7)
            }
        }
    }

    @Test("They are made where a set has them, and lose by a size that is wrong", arguments: KernelsUnderTest.all)
    func difference(_ set: KernelsUnderTest) {
        let shape = Case(rows: 20, inner: 80, columns: 33)
        let kernels = set.kernels.float32
        let isOther = shape.multiply(kernels, inputSize: shape.inputSize) != shape.multiply(kernels, inputSize: nil)
        #expect(isOther == set.hasFastInnerProducts)
        let isWorse = shape.error(kernels, inputSize: 1000 * shape.inputSize) > 1e-5
        #expect(isWorse == set.hasFastInnerProducts)
    }

    @Test(
        "Of sizes whose squares are no numbers, and of no weights, the sums are plain", arguments: KernelsUnderTest.all)
    func fallback(_ set: KernelsUnderTest) {
        let kernels = set.kernels.float32
        let shape = Case(rows: 7, inner: 24, columns: 20)
        for size in [0, -1, .nan, .infinity, 1e-30, 1e30] as [Float] {
            #expect(shape.multiply(kernels, inputSize: size) == shape.multiply(kernels, inputSize: nil))
        }
        for scale in [0, 1e-30] as [Float] {
            let shape = Case(rows: 7, inner: 24, columns: 20, weightScale: scale)
            #expect(shape.multiply(kernels, inputSize: 1) == shape.multiply(kernels, inputSize: nil))
        }
    }

    @Test(
        "Columns where inputs are far larger than was said, or no numbers, have plain sums",
        arguments: KernelsUnderTest.all)
    func largeColumns(_ set: KernelsUnderTest) {
        let kernels = set.kernels.float32
        for (rows, columns) in [(20, 83), (7, 34), (61, 4), (3, 17)] {
            var shape = Case(rows: rows, inner: 27, columns: columns)
            let size = shape.inputSize
            // All of them: bit for bit.
            #expect(shape.multiply(kernels, inputSize: size / 1000) == shape.multiply(kernels, inputSize: nil))
            // Some of them: those, and the others as they were.
            let fast = shape.multiply(kernels, inputSize: size)
            for factor in [1e4, 1e25, .infinity, .nan] as [Float] {
                shape.large = (every: 3, factor)
                let found = shape.multiply(kernels, inputSize: size)
                let plain = shape.multiply(kernels, inputSize: nil)
                for index in found.indices {
                    let wanted = index % columns % 3 == 0 ? plain[index] : fast[index]
                    #expect(found[index] == wanted || (found[index].isNaN && wanted.isNaN))
                }
            }
        }
    }

    @Test("A column's sums do not depend on the columns beside it", arguments: KernelsUnderTest.all)
    func places(_ set: KernelsUnderTest) {
        for rows in [3, 8, 20, 61] {
            for inner in [3, 20, 27] {
                let shape = Case(rows: rows, inner: inner, columns: 83)
                let kernels = set.kernels.float32
                for size in [nil, shape.inputSize] {
                    let all = shape.multiply(kernels, inputSize: size)
                    for range in [0..<1, 5..<7, 9..<12, 30..<34, 2..<18, 0..<49, 40..<83] {
                        let part = shape.multiply(kernels, inputSize: size, range)
                        for row in 0..<rows {
                            let line = row * 83
                            #expect(
                                Array(all[line + range.lowerBound..<line + range.upperBound])
                                    == Array(part[row * range.count..<(row + 1) * range.count]),
                                "\(rows)×\(inner) \(range) row \(row)")
                        }
                    }
                }
            }
        }
    }
}
