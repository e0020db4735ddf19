import Kernels
import Support

/// One ShuffleNet unit in inference. All three norms are folded into weights and biases: the first one's bias and ReLU
/// happen where the depthwise convolution loads, the second one's bias goes into the third's (nothing non-linear lies
/// between), the third one's happens with shortcut and ReLU in one pass after the product.
final class FoldedUnit {
    let shape: UnitShape
    let inputWindow: PlaneWindow
    private let shortcutWindow: PlaneWindow
    private let prefix: String
    private let reduceWeights: AlignedBuffer<Float>
    private let reduceBias: AlignedBuffer<Float>
    private let kernels: AlignedBuffer<Float>
    private let expandWeights: AlignedBuffer<Float>
    private let expandBias: AlignedBuffer<Float>
    private let inverseCounts: AlignedBuffer<Float>

    var inArea: Int { inputWindow.inArea }
    var outArea: Int { inputWindow.outArea }
    /// Scratch floats for one worker.
    var scratchCount: Int { max(inputWindow.scratchCount, shape.stride == 2 ? shortcutWindow.scratchCount : 0) }

    init(_ shape: UnitShape, height: Int, width: Int, prefix: String) {
        self.shape = shape
        self.prefix = prefix
        inputWindow = .convolution(height: height, width: width, stride: shape.stride)
        shortcutWindow = .same(height: height, width: width)
        reduceWeights = AlignedBuffer(count: shape.middle * shape.reduceColumns)
        reduceBias = AlignedBuffer(count: shape.middle)
        kernels = AlignedBuffer(count: shape.middle * 9)
        expandWeights = AlignedBuffer(count: shape.branchOutputs * shape.expandColumns)
        expandBias = AlignedBuffer(count: shape.branchOutputs)
        inverseCounts = AlignedBuffer(count: shape.stride == 2 ? inputWindow.outArea + 64 : 0)
        if shape.stride == 2 { AveragePool.fillInverseCounts(shortcutWindow, into: inverseCounts.pointer) }
    }

    func fold(_ parameters: ParameterStore) {
        let first = FoldedNorm(prefix + "branch_main_1.1", parameters, channels: shape.middle)
        let second = FoldedNorm(prefix + "branch_main_2.1", parameters, channels: shape.middle)
        let third = FoldedNorm(prefix + "branch_main_2.3", parameters, channels: shape.branchOutputs)
        let reduce = parameters.pointer(prefix + "branch_main_1.0.convs.0.weight")
        let depthwise = parameters.pointer(prefix + "branch_main_2.0.weight")
        let expand = parameters.pointer(prefix + "branch_main_2.2.convs.0.weight")
        for row in 0..<shape.middle {
            reduceBias.pointer[row] = Float(first.shift[row])
            for index in row * shape.reduceColumns..<(row + 1) * shape.reduceColumns {
                reduceWeights.pointer[index] = Float(Double(reduce[index]) * first.scale[row])
            }
            for index in 9 * row..<9 * row + 9 {
                kernels.pointer[index] = Float(Double(depthwise[index]) * second.scale[row])
            }
        }
        let inner = shape.expandColumns
        for row in 0..<shape.branchOutputs {
            let group = row / shape.expandRows
            var shift = 0.0
            for column in 0..<inner {
                let weight = Double(expand[row * inner + column])
                expandWeights.pointer[row * inner + column] = Float(weight * third.scale[row])
                shift += weight * second.shift[group * inner + column]
            }
            expandBias.pointer[row] = Float(third.shift[row] + third.scale[row] * shift)
        }
    }

    /// - Parameters:
    ///   - input: `[inputs][images · inArea]`.
    ///   - output: receives `[outputs][images · outArea]`.
    ///   - reduced: memory for `[middle][images · inArea]`; `convolved` for `[middle][images · outArea]`.
    func run(
        _ input: Rows, images: Int, output: Rows, reduced: Rows, convolved: Rows,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let inColumns = images * inArea
        let outColumns = images * outArea
        for group in 0..<shape.reduceGroups {
            let inner = shape.reduceColumns
            let row = group * shape.reduceRows
            MatrixProduct.multiply(
                m: shape.reduceRows, n: inColumns, k: inner, reduceWeights.pointer + row * inner, inner,
                input[group * inner, 0], input.stride, beta: 0, reduced[row, 0], reduced.stride)
        }
        for channel in 0..<shape.middle {
            let source = shape.shuffleSource(of: channel)
            for image in 0..<images {
                DepthwiseConvolution.forward(
                    reduced[source, image * inArea], inputWindow, scale: 1, shift: reduceBias.pointer[source],
                    kernel: kernels.pointer + 9 * channel, out: convolved[channel, image * outArea], scratch: scratch)
            }
        }
        for channel in 0..<shape.shortcutRows {
            for image in 0..<images {
                AveragePool.forward(
                    input[channel, image * inArea], shortcutWindow, inverseCounts: inverseCounts.pointer,
                    out: output[channel, image * outArea], scratch: scratch)
            }
        }
        let branch = output.dropping(channels: shape.shortcutRows)
        for group in 0..<shape.groups {
            let inner = shape.expandColumns
            let rows = group * shape.expandRows..<(group + 1) * shape.expandRows
            for row in rows {
                Rectifier.prepare(
                    branch[row, 0], bias: expandBias.pointer[row],
                    residual: shape.stride == 1 ? UnsafePointer(input[row, 0]) : nil, outColumns)
            }
            MatrixProduct.multiply(
                m: rows.count, n: outColumns, k: inner, expandWeights.pointer + rows.lowerBound * inner, inner,
                convolved[group * inner, 0], convolved.stride, beta: 1, branch[rows.lowerBound, 0], branch.stride)
            for row in rows { Rectifier.forward(branch[row, 0], outColumns) }
        }
    }
}
