import Kernels
import Support

/// One ShuffleNet unit in inference. All three norms are folded into weights and biases; the second one's bias goes into
/// the third's, as nothing non-linear lies between. Bias, shortcut and ReLU happen where a product is written.
final class FoldedUnit<Scalar: ActivationScalar> {
    let shape: UnitShape
    let inputWindow: PlaneWindow
    /// At stride 2.
    private let shortcut: Shortcut<Scalar>?
    private let prefix: String
    private let reduceWeights: AlignedBuffer<Float>
    private let reduceBias: AlignedBuffer<Float>
    private let depthwiseWeights: AlignedBuffer<Float>
    private let expandWeights: AlignedBuffer<Float>
    private let expandBias: AlignedBuffer<Float>
    private let kernels: any ActivationKernels<Scalar>

    var inArea: Int { inputWindow.inArea }
    var outArea: Int { inputWindow.outArea }
    /// Scratch floats for one worker.
    var scratchCount: Int { inputWindow.scratchCount }

    init(_ unit: PlacedUnit, kernels: any ActivationKernels<Scalar>) {
        let shape = unit.shape
        self.shape = shape
        self.kernels = kernels
        prefix = unit.prefix
        inputWindow = unit.window
        shortcut = unit.shortcut.map { Shortcut($0, kernels: kernels) }
        reduceWeights = AlignedBuffer(
            count: shape.reduceGroups * PackedWeights.count(rows: shape.reduceRows, columns: shape.reduceColumns))
        reduceBias = AlignedBuffer(count: shape.middle)
        depthwiseWeights = AlignedBuffer(count: shape.middle * 9)
        expandWeights = AlignedBuffer(
            count: shape.groups * PackedWeights.count(rows: shape.expandRows, columns: shape.expandColumns))
        expandBias = AlignedBuffer(count: shape.branchOutputs)
    }

    private func reduceWeights(_ group: Int) -> PackedWeights {
        PackedWeights(reduceWeights.pointer, group: group, rows: shape.reduceRows, columns: shape.reduceColumns)
    }

    private func expandWeights(_ group: Int) -> PackedWeights {
        PackedWeights(expandWeights.pointer, group: group, rows: shape.expandRows, columns: shape.expandColumns)
    }

    /// - Parameter inputSquare: the mean square that the input is expected to have.
    /// - Returns: the one that the output is.
    func fold(_ parameters: ParameterStore, inputSquare: Double) -> Double {
        let first = FoldedNorm(prefix + "branch_main_1.1", parameters, channels: shape.middle)
        let second = FoldedNorm(prefix + "branch_main_2.1", parameters, channels: shape.middle)
        let third = FoldedNorm(prefix + "branch_main_2.3", parameters, channels: shape.branchOutputs)
        let reduce = parameters.pointer(prefix + "branch_main_1.0.convs.0.weight")
        let depthwise = parameters.pointer(prefix + "branch_main_2.0.weight")
        let expand = parameters.pointer(prefix + "branch_main_2.2.convs.0.weight")
        let reducing = AlignedBuffer<Float>(count: shape.middle * shape.reduceColumns)
        for row in 0..<shape.middle {
            reduceBias.pointer[row] = Float(first.shift[row])
            for index in row * shape.reduceColumns..<(row + 1) * shape.reduceColumns {
                reducing.pointer[index] = Float(Double(reduce[index]) * first.scale[row])
            }
            for index in 9 * row..<9 * row + 9 {
                depthwiseWeights.pointer[index] = Float(Double(depthwise[index]) * second.scale[row])
            }
        }
        let inner = shape.expandColumns
        let expanding = AlignedBuffer<Float>(count: shape.branchOutputs * inner)
        for row in 0..<shape.branchOutputs {
            let group = row / shape.expandRows
            var shift = 0.0
            for column in 0..<inner {
                let weight = Double(expand[row * inner + column])
                expanding.pointer[row * inner + column] = Float(weight * third.scale[row])
                shift += weight * second.shift[group * inner + column]
            }
            expandBias.pointer[row] = Float(third.shift[row] + third.scale[row] * shift)
        }
        for group in 0..<shape.reduceGroups {
            pack(reducing, group, into: reduceWeights(group), inputSquare: inputSquare)
        }
        for group in 0..<shape.groups {
            pack(expanding, group, into: expandWeights(group), inputSquare: second.scaledSquare)
        }
        return shape.outputSquare(inputSquare: inputSquare, branchSquare: third.outputSquare)
    }

    private func pack(_ weights: AlignedBuffer<Float>, _ group: Int, into packed: PackedWeights, inputSquare: Double) {
        let columns = packed.columns
        kernels.pack(
            [WeightBlock(weights.pointer + group * packed.rows * columns, rowStride: columns, columns: columns)],
            into: packed, inputSize: Float(inputSquare.squareRoot()))
    }

    /// - Parameters:
    ///   - input: `[inputs][images · inArea]`.
    ///   - output: receives `[outputs][images · outArea]`.
    ///   - reduced: memory for `[middle][images · inArea]`; `convolved` for `[middle][images · outArea]`.
    func run(
        _ input: Rows<Scalar>, images: Int, output: Rows<Scalar>, reduced: Rows<Scalar>, convolved: Rows<Scalar>,
        _ team: InferenceTeam<Scalar>
    ) {
        team.runProducts(groups: shape.reduceGroups, columns: images * inArea) { group, first, columns in
            let inner = shape.reduceColumns
            let row = group * shape.reduceRows
            var product = PointwiseProduct<Scalar>(
                reduceWeights(group), columns: columns,
                .init(input[group * inner, first], stride: input.stride, rows: inner), out: reduced[row, first],
                outStride: reduced.stride)
            product.bias = UnsafePointer(reduceBias.pointer + row)
            product.isRectified = true
            kernels.multiply(product)
        }
        team.run(shape.middle + shape.shortcutRows) { task, scratch in
            if task >= shape.middle {
                shortcut?.forward(input, output, channel: task - shape.middle, images: images)
                return
            }
            let source = shape.shuffleSource(of: task)
            kernels.depthwiseForward(
                reduced[source, 0], count: images, inputWindow, kernel: depthwiseWeights.pointer + 9 * task,
                out: convolved[task, 0], scratch: scratch.plane)
        }
        let branch = output.dropping(channels: shape.shortcutRows)
        team.runProducts(groups: shape.groups, columns: images * outArea) { group, first, columns in
            let inner = shape.expandColumns
            let row = group * shape.expandRows
            var product = PointwiseProduct<Scalar>(
                expandWeights(group), columns: columns,
                .init(convolved[group * inner, first], stride: convolved.stride, rows: inner),
                out: branch[row, first], outStride: branch.stride)
            product.bias = UnsafePointer(expandBias.pointer + row)
            if shape.stride == 1 {
                product.addend = UnsafePointer(input[row, first])
                product.addendStride = input.stride
            }
            product.isRectified = true
            kernels.multiply(product)
        }
    }
}
