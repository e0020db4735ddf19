import Kernels
import Support

/// One ShuffleNet unit in training: what it keeps between the forward and the backward pass.
///
/// With L columns (images × pixels): input x `[inputs][L]`, r = W₁x (kept), a = ReLU(norm₁(r)) (never stored), d = the
/// depthwise convolution of the shuffled a, kept as u = d − mean(d), e = W₂·norm₂(d) (never stored),
/// y = ReLU(x + norm₃(e)) or ReLU(concat(pool(x), norm₃(e))).
///
/// e is never stored because norm₂ and norm₃ follow from the small matrix u·uᵀ of each group: with s₂ = γ₂/σ₂ and
/// V = W₂·diag(s₂), e − mean(e) = V·u, so its variance is diag(V·(u·uᵀ)·Vᵀ) / L and norm₃(e) is one product of u with
/// folded weights. The gradients use the same identities (`TrainedUnit+Backward`).
final class TrainedUnit<Scalar: ActivationScalar> {
    let shape: UnitShape
    let inputWindow: PlaneWindow
    /// At stride 2.
    let shortcut: Shortcut<Scalar>?
    let batch: Int

    let reduceWeights: UnsafeMutablePointer<Float>
    let depthwiseWeights: UnsafeMutablePointer<Float>
    let expandWeights: UnsafeMutablePointer<Float>
    let reduceGradient: UnsafeMutablePointer<Float>
    let kernelGradient: UnsafeMutablePointer<Float>
    let expandGradient: UnsafeMutablePointer<Float>
    let reduceNorm: BatchNorm
    let middleNorm: BatchNorm
    let expandNorm: BatchNorm

    /// r, u and y of the class comment.
    let reduced: Rows<Scalar>
    let centred: Rows<Scalar>
    let output: Rows<Scalar>
    /// V·(u·uᵀ), `[branchOutputs][expandColumns]`, for the gradient of W₂.
    let weightedGram: AlignedBuffer<Double>
    let kernels: any ActivationKernels<Scalar>
    private let moments: AlignedBuffer<Moments>
    private let memory: [AlignedBuffer<Scalar>]
    private let owners: [ParameterStore]

    var inArea: Int { inputWindow.inArea }
    var outArea: Int { inputWindow.outArea }

    /// Tasks that a group's small algebra is cut into.
    static var algebraChunks: Int { 4 }

    init(
        _ unit: PlacedUnit, batch: Int, parameters: ParameterStore, gradients: ParameterStore,
        kernels: any ActivationKernels<Scalar>
    ) {
        let (shape, prefix) = (unit.shape, unit.prefix)
        self.shape = shape
        self.batch = batch
        self.kernels = kernels
        inputWindow = unit.window
        shortcut = unit.shortcut.map { Shortcut($0, kernels: kernels) }
        reduceWeights = parameters.pointer(prefix + "branch_main_1.0.convs.0.weight")
        depthwiseWeights = parameters.pointer(prefix + "branch_main_2.0.weight")
        expandWeights = parameters.pointer(prefix + "branch_main_2.2.convs.0.weight")
        reduceGradient = gradients.pointer(prefix + "branch_main_1.0.convs.0.weight")
        kernelGradient = gradients.pointer(prefix + "branch_main_2.0.weight")
        expandGradient = gradients.pointer(prefix + "branch_main_2.2.convs.0.weight")
        func norm(_ name: String, _ channels: Int) -> BatchNorm {
            BatchNorm(prefix + name, channels: channels, parameters: parameters, gradients: gradients)
        }
        reduceNorm = norm("branch_main_1.1", shape.middle)
        middleNorm = norm("branch_main_2.1", shape.middle)
        expandNorm = norm("branch_main_2.3", shape.branchOutputs)
        owners = [parameters, gradients]

        let inColumns = batch * inputWindow.inArea
        let outColumns = batch * inputWindow.outArea
        func rows(_ channels: Int, _ columns: Int) -> AlignedBuffer<Scalar> {
            AlignedBuffer(count: Rows<Scalar>.count(channels: channels, columns: columns))
        }
        let memory = [
            rows(shape.middle, inColumns), rows(shape.middle, outColumns), rows(shape.outputs, outColumns),
        ]
        reduced = Rows(memory[0], columns: inColumns)
        centred = Rows(memory[1], columns: outColumns)
        output = Rows(memory[2], columns: outColumns)
        self.memory = memory
        weightedGram = AlignedBuffer(count: shape.branchOutputs * shape.expandColumns)
        moments = AlignedBuffer(count: ColumnSlots.maximum * shape.middle)
    }

    func declare(_ needs: inout TrainingNeeds) {
        let rows = shape.branchOutputs
        let columns = shape.expandColumns
        let gram = shape.groups * columns * columns
        needs.scratch(inputWindow.scratchCount)
        needs.need(
            .slots,
            ColumnSlots.maximum * max(gram, shape.middle * shape.reduceColumns))
        needs.need(.outerSlots, ColumnSlots.maximum * rows * columns)
        needs.need(.weights, rows * columns)
        needs.need(.packed, shape.groups * PackedWeights.count(rows: shape.expandRows, columns: columns))
        needs.need(.packed, shape.groups * PackedWeights.count(rows: columns, columns: shape.expandRows + columns))
        let reduceSides = (shape.reduceRows, shape.reduceColumns)
        needs.need(.reducePacked, shape.reduceGroups * PackedWeights.count(rows: reduceSides.0, columns: reduceSides.1))
        needs.need(.reducePacked, shape.reduceGroups * PackedWeights.count(rows: reduceSides.1, columns: reduceSides.0))
        needs.need(.square, gram)
        needs.need(.bias, max(rows, shape.middle))
        needs.need(.outerGradient, Rows<Scalar>.count(channels: shape.middle, columns: batch * outArea))
        needs.need(.innerGradient, Rows<Scalar>.count(channels: shape.middle, columns: batch * inArea))
        needs.need(.sums, max(ColumnSlots.maximum * rows, gram))
        needs.need(.first, max(gram, rows * columns))
        needs.need(.second, rows * columns)
        needs.need(.third, max(rows * columns, gram))
        needs.need(.coefficients, max(rows, 3 * shape.middle))
    }

    /// - Parameters:
    ///   - isReduced: whether the unit before has made r already.
    ///   - next: the unit that reads the output.
    /// - Returns: whether r of `next` was made too.
    func forward(
        _ input: Rows<Scalar>, images: Int, isReduced: Bool, next: TrainedUnit<Scalar>?,
        _ workspace: TrainingWorkspace<Scalar>
    ) -> Bool {
        if !isReduced { reduce(input, images, workspace) }
        convolve(input, images, workspace)
        normalise(images, workspace)
        // At stride 2 the shortcut's rows shift the groups' rows against the next unit's.
        let fused = shape.stride == 1 ? next : nil
        expand(input, images, next: fused, workspace)
        return fused != nil
    }

    /// r = W₁x and its statistics.
    private func reduce(_ input: Rows<Scalar>, _ images: Int, _ workspace: TrainingWorkspace<Scalar>) {
        let slots = ColumnSlots(columns: images * inArea)
        beginReduce(workspace)
        workspace.pool.run(shape.reduceGroups * slots.count) { task, _ in
            let (group, slot) = task.quotientAndRemainder(dividingBy: slots.count)
            slots.forEachBlock(of: slot, rows: shape.reduceColumns + shape.reduceRows, as: Scalar.self) { block in
                reduce(input, group: group, slot: slot, block, workspace)
            }
        }
        endReduce(slots)
    }

    private func packedReduce(_ group: Int, _ workspace: TrainingWorkspace<Scalar>) -> PackedWeights {
        PackedWeights(workspace[.reducePacked], group: group, rows: shape.reduceRows, columns: shape.reduceColumns)
    }

    private func beginReduce(_ workspace: TrainingWorkspace<Scalar>) {
        let rows = shape.reduceRows
        let inner = shape.reduceColumns
        workspace.pool.run(shape.reduceGroups) { group, _ in
            kernels.pack(
                [WeightBlock(reduceWeights + group * rows * inner, rowStride: inner, columns: inner)],
                into: packedReduce(group, workspace), inputSize: nil)
        }
        for index in 0..<moments.count { moments.pointer[index] = Moments() }
    }

    /// A block of a group's rows, and what it adds to the slot's statistics while it is in cache.
    private func reduce(
        _ input: Rows<Scalar>, group: Int, slot: Int, _ block: ColumnBlock, _ workspace: TrainingWorkspace<Scalar>
    ) {
        let rows = shape.reduceRows
        let inner = shape.reduceColumns
        kernels.multiply(
            PointwiseProduct<Scalar>(
                packedReduce(group, workspace), columns: block.width,
                .init(input[group * inner, block.first], stride: input.stride, rows: inner),
                out: reduced[group * rows, block.first], outStride: reduced.stride))
        let slotMoments = moments.pointer + (slot * shape.middle + group * rows)
        for row in 0..<rows {
            slotMoments[row].merge(kernels.moments(reduced[group * rows + row, block.first], block.width))
        }
    }

    private func endReduce(_ slots: ColumnSlots) {
        reduceNorm.take(slots: moments.pointer, count: slots.count)
    }

    /// u, a channel a task, and at stride 2 the shortcut's rows.
    private func convolve(_ input: Rows<Scalar>, _ images: Int, _ workspace: TrainingWorkspace<Scalar>) {
        workspace.pool.run(shape.middle + shape.shortcutRows) { task, worker in
            let scratch = workspace.scratch(worker)
            if task >= shape.middle {
                shortcut?.forward(input, output, channel: task - shape.middle, images: images)
                return
            }
            let source = shape.shuffleSource(of: task)
            kernels.depthwiseForward(
                reduced[source, 0], count: images, inputWindow, scale: reduceNorm.scale.pointer[source],
                shift: reduceNorm.shift.pointer[source], kernel: depthwiseWeights + 9 * task, out: centred[task, 0],
                scratch: scratch)
            let row = centred[task, 0]
            let count = images * outArea
            let mean = Float(kernels.sum(row, count) / Double(count))
            middleNorm.take(kernels.centre(row, count, by: mean), channel: task)
        }
    }

    /// norm₃'s statistics from u·uᵀ, and the folded weights of the second product.
    private func normalise(_ images: Int, _ workspace: TrainingWorkspace<Scalar>) {
        let slots = ColumnSlots(columns: images * outArea)
        let rows = shape.expandRows
        let inner = shape.expandColumns
        let square = inner * inner
        let grams = workspace[.slots]
        let pitch = shape.groups * square
        workspace.pool.run(shape.groups * slots.count) { task, _ in
            let group = task / slots.count
            let slot = task % slots.count
            var accumulates = false
            slots.forEachBlock(of: slot, rows: inner, as: Scalar.self) { block in
                let own = PointwiseProduct<Scalar>.Input(
                    centred[group * inner, block.first], stride: centred.stride, rows: inner)
                var gram = RowCorrelation<Scalar>(
                    own, own, columns: block.width, accumulates: accumulates,
                    out: grams + slot * pitch + group * square, outStride: inner)
                gram.ahead = .init(centred[group * inner, block.end], stride: centred.stride, rows: inner)
                kernels.correlate(gram)
                accumulates = true
            }
        }
        workspace.pool.run(shape.groups) { group, _ in
            SlotSum.reduce(
                grams + group * square, slotCount: slots.count, pitch: pitch,
                out: workspace[.first] + group * square, square)
        }
        workspace.pool.run(shape.groups * Self.algebraChunks) { task, _ in
            let group = task / Self.algebraChunks
            let chunk = chunkRange(task % Self.algebraChunks, of: rows)
            takeStatistics(
                of: group * rows + chunk.lowerBound..<group * rows + chunk.upperBound, group: group,
                gram: workspace[.first] + group * square, count: images * outArea, workspace)
        }
    }

    /// norm₃'s statistics and the folded weights of some channels of a group.
    private func takeStatistics(
        of channels: Range<Int>, group: Int, gram: UnsafePointer<Double>, count: Int,
        _ workspace: TrainingWorkspace<Scalar>
    ) {
        let inner = shape.expandColumns
        let begin = channels.lowerBound * inner
        let weights = expandWeights + begin
        let folded = workspace[.weights] + begin
        let weighted = workspace[.second] + begin
        let product = weightedGram.pointer + begin
        let scales = middleNorm.scale.pointer + group * inner
        let betas = middleNorm.beta + group * inner
        for index in stride(from: 0, to: channels.count * inner, by: inner) {
            for column in 0..<inner {
                weighted[index + column] = Double(weights[index + column]) * Double(scales[column])
            }
        }
        MatrixProduct.multiply(
            m: channels.count, n: inner, k: inner, weighted, inner, gram, inner, beta: 0, product, inner)
        for (row, channel) in channels.enumerated() {
            let index = row * inner
            let squares = DotProduct.sum(weighted + index, product + index, inner)
            let mean = DotProduct.sum(weights + index, betas, inner)
            expandNorm.take(Moments(count: Double(count), mean: mean, squares: max(squares, 0)), channel: channel)
            let scale = Double(expandNorm.gamma[channel]) * expandNorm.inverseDeviation.pointer[channel]
            for column in index..<index + inner { folded[column] = Float(scale * weighted[column]) }
        }
    }

    /// y, block by block: product, bias, shortcut, ReLU; and r of `next` from the block while it is in cache.
    private func expand(
        _ input: Rows<Scalar>, _ images: Int, next: TrainedUnit<Scalar>?, _ workspace: TrainingWorkspace<Scalar>
    ) {
        let slots = ColumnSlots(columns: images * outArea)
        let rows = shape.expandRows
        let inner = shape.expandColumns
        let branch = output.dropping(channels: shape.shortcutRows)
        func packed(_ group: Int) -> PackedWeights {
            PackedWeights(workspace[.packed], group: group, rows: rows, columns: inner)
        }
        workspace.pool.run(shape.groups) { group, _ in
            kernels.pack(
                [WeightBlock(workspace[.weights] + group * rows * inner, rowStride: inner, columns: inner)],
                into: packed(group), inputSize: nil)
        }
        next?.beginReduce(workspace)
        workspace.pool.run(shape.groups * slots.count) { task, _ in
            let (group, slot) = task.quotientAndRemainder(dividingBy: slots.count)
            slots.forEachBlock(of: slot, rows: inner + 2 * rows, as: Scalar.self) { block in
                let row = group * rows
                var product = PointwiseProduct<Scalar>(
                    packed(group), columns: block.width,
                    .init(centred[group * inner, block.first], stride: centred.stride, rows: inner),
                    out: branch[row, block.first], outStride: branch.stride)
                product.bias = UnsafePointer(expandNorm.beta + row)
                if shape.stride == 1 {
                    product.addend = UnsafePointer(input[row, block.first])
                    product.addendStride = input.stride
                }
                product.isRectified = true
                kernels.multiply(product)
                next?.reduce(output, group: group, slot: slot, block, workspace)
            }
        }
        next?.endReduce(slots)
    }

    func chunkRange(_ chunk: Int, of count: Int) -> Range<Int> {
        chunk * count / Self.algebraChunks..<(chunk + 1) * count / Self.algebraChunks
    }
}
