import Kernels
import Support
import TestSupport
import Testing

/// The matrix products at sizes round the tiles, against the plain forms.
@Suite(.oneAtATime) struct ProductKernelTests {
    struct Size: Sendable, CustomTestStringConvertible {
        let rows: Int
        let inner: Int
        let columns: Int
        var testDescription: String { "\(rows)×\(inner)×\(columns)" }
    }

    static let sizes = [
        (1, 1, 1), (2, 3, 7), (3, 5, 8), (4, 1, 9), (5, 20, 15), (6, 6, 16), (7, 80, 17), (8, 4, 24), (9, 2, 31),
        (10, 24, 32), (11, 7, 33), (12, 12, 49), (13, 3, 48), (20, 80, 98), (23, 5, 64), (25, 9, 65), (45, 24, 50),
        (4, 7, 2), (61, 19, 4), (33, 41, 35), (50, 30, 68),
    ].map { Size(rows: $0.0, inner: $0.1, columns: $0.2) }

    /// Root mean square of `noise`.
    private static let size: Float = 0.577

    /// Elements past a row's last column, half of which no kernel may write.
    private static let slack = 2 * KernelSlack.written

    @Test("1×1 convolutions with every epilogue", arguments: KernelsUnderTest.all, sizes)
    func products(_ set: KernelsUnderTest, _ size: Size) {
        checkProducts(set.kernels.float32, size)
        checkProducts(set.kernels.bfloat16, size)
    }

    private func checkProducts<Scalar: TestScalar>(_ kernels: any ActivationKernels<Scalar>, _ size: Size) {
        let stride = size.columns + Self.slack
        let weights = noise(size.rows * (size.inner + 3))
        let first = noise(size.inner * stride, seed: 2, as: Scalar.self)
        let second = noise(3 * stride, seed: 3, as: Scalar.self)
        let bias = noise(size.rows, seed: 4)
        let addend = noise(size.rows * stride, seed: 5, as: Scalar.self)
        for choice in 0..<32 {
            let hasSecond = choice & 1 != 0
            let inner = size.inner + (hasSecond ? 3 : 0)
            let memory = Guarded<Float>(count: PackedWeights.count(rows: size.rows, columns: inner))
            let packed = PackedWeights(memory.pointer, rows: size.rows, columns: inner)
            weights.withUnsafeBufferPointer {
                let blocks = [
                    WeightBlock($0.baseAddress!, rowStride: inner, columns: size.inner),
                    WeightBlock($0.baseAddress! + size.inner, rowStride: inner, columns: 3),
                ]
                kernels.pack(
                    hasSecond ? blocks : [blocks[0]], into: packed, inputSize: choice & 16 != 0 ? Self.size : nil)
            }
            #expect(memory.isIntact)
            let found = Guarded(noise(size.rows * stride, seed: 6, as: Scalar.self))
            let wanted = Guarded(found.values)
            first.withUnsafeBufferPointer { first in
                second.withUnsafeBufferPointer { second in
                    bias.withUnsafeBufferPointer { bias in
                        addend.withUnsafeBufferPointer { addend in
                            var product = PointwiseProduct(
                                packed, columns: size.columns,
                                .init(first.baseAddress!, stride: stride, rows: size.inner), out: found.pointer,
                                outStride: stride)
                            if hasSecond { product.second = .init(second.baseAddress!, stride: stride, rows: 3) }
                            if choice & 2 != 0 { product.bias = bias.baseAddress }
                            if choice & 4 != 0 { (product.addend, product.addendStride) = (addend.baseAddress, stride) }
                            product.isRectified = choice & 8 != 0
                            product.endsExactly = choice % 3 == 0
                            kernels.multiply(product)
                            product.out = wanted.pointer
                            product.reference(weights: weights)
                        }
                    }
                }
            }
            for row in 0..<size.rows {
                let line = row * stride..<row * stride + size.columns
                #expect(
                    isClose(
                        Array(found.values[line]), Array(wanted.values[line]).floats, rtol: max(Scalar.rtol, 1e-4),
                        atol: 2e-5))
                let written = choice % 3 == 0 ? 0 : KernelSlack.written
                let rest = line.upperBound + written..<(row + 1) * stride
                #expect(found.values[rest] == wanted.values[rest])
            }
            #expect(found.isIntact)
        }
    }

    @Test(
        "However a matrix lies, it is packed the same, and nothing past its end is read",
        arguments: KernelsUnderTest.all)
    func packing(_ set: KernelsUnderTest) throws {
        for (rows, columns) in [(5, 7), (1, 1), (16, 64), (25, 33), (40, 160), (61, 34)] {
            try checkPacking(set.kernels.float32, rows: rows, columns: columns)
            try checkPacking(set.kernels.bfloat16, rows: rows, columns: columns)
        }
    }

    private func checkPacking<Scalar: TestScalar>(
        _ kernels: any ActivationKernels<Scalar>, rows: Int, columns: Int
    ) throws {
        let weights = noise(rows * columns)
        func packed(rowStride: Int, columnStride: Int) throws -> [UInt32] {
            let count = (rows - 1) * rowStride + (columns - 1) * columnStride + 1
            var values = [Float](repeating: .nan, count: count)
            for row in 0..<rows {
                for column in 0..<columns {
                    values[row * rowStride + column * columnStride] = weights[row * columns + column]
                }
            }
            let memory = try FencedMemory(values)
            let found = Guarded<Float>(count: PackedWeights.count(rows: rows, columns: columns))
            kernels.pack(
                [WeightBlock(memory.pointer, rowStride: rowStride, columnStride: columnStride, columns: columns)],
                into: PackedWeights(found.pointer, rows: rows, columns: columns), inputSize: Self.size)
            #expect(found.isIntact)
            // By their bits: two weights of bfloat16 in one float may look like a NaN.
            return found.values.map(\.bitPattern)
        }
        let wanted = try packed(rowStride: 2 * columns, columnStride: 2)
        #expect(try packed(rowStride: columns, columnStride: 1) == wanted)
        #expect(try packed(rowStride: 1, columnStride: rows) == wanted)
        #expect(try packed(rowStride: 1, columnStride: rows + 3) == wanted)
    }

    @Test("Correlations of rows, set and added", arguments: KernelsUnderTest.all, sizes)
    func correlations(_ set: KernelsUnderTest, _ size: Size) {
        checkCorrelations(set.kernels.float32, size)
        checkCorrelations(set.kernels.bfloat16, size)
    }

    private func checkCorrelations<Scalar: TestScalar>(_ kernels: any ActivationKernels<Scalar>, _ size: Size) {
        // Behind the last column lies what must not count.
        func rows(_ count: Int, seed: UInt64) -> [Scalar] {
            (0..<count).flatMap {
                noise(size.columns, seed: seed + UInt64($0), as: Scalar.self)
                    + [Scalar](repeating: Scalar(rounding: .nan), count: Self.slack)
            }
        }
        let stride = size.columns + Self.slack
        let left = rows(size.rows, seed: 10)
        let right = rows(size.inner, seed: 100)
        for accumulates in [false, true] {
            let start = noise(size.rows * (size.inner + 2), seed: 3)
            let found = Guarded(start)
            let wanted = Guarded(start)
            left.withUnsafeBufferPointer { left in
                right.withUnsafeBufferPointer { right in
                    var task = RowCorrelation(
                        .init(left.baseAddress!, stride: stride, rows: size.rows),
                        .init(right.baseAddress!, stride: stride, rows: size.inner), columns: size.columns,
                        accumulates: accumulates, out: found.pointer, outStride: size.inner + 2)
                    kernels.correlate(task)
                    task.out = wanted.pointer
                    task.reference()
                }
            }
            #expect(isClose(found.values, wanted.values, rtol: 1e-4, atol: 2e-5) && found.isIntact)

            // Rows with themselves: what is there before is such a matrix too.
            let pitch = size.rows + 2
            var square = noise(size.rows * pitch, seed: 4)
            for row in 0..<size.rows {
                for column in 0..<row { square[column * pitch + row] = square[row * pitch + column] }
            }
            let ownFound = Guarded(square)
            let ownWanted = Guarded(square)
            left.withUnsafeBufferPointer { left in
                let own = PointwiseProduct<Scalar>.Input(left.baseAddress!, stride: stride, rows: size.rows)
                var task = RowCorrelation(
                    own, own, columns: size.columns, accumulates: accumulates, out: ownFound.pointer, outStride: pitch)
                kernels.correlate(task)
                task.out = ownWanted.pointer
                task.reference()
            }
            #expect(isClose(ownFound.values, ownWanted.values, rtol: 1e-4, atol: 2e-5) && ownFound.isIntact)
        }
    }
}
