import Kernels
import Support

/// The unit's gradients, in the names of `TrainedUnit`'s comment; dz is the gradient under the last ReLU.
///
/// With S = dz·uᵀ of each group: dγ₃ = Σ_k V·S / σ₃ ; dV = γ₃/σ₃·(S − dγ₃/(σ₃·L)·V·(u·uᵀ)) ; dW₂ = dV·diag(s₂) ;
/// dγ₂ = Σ_o W₂·dV / σ₂ ; dβ₂ = 0, since norm₃ takes any shift out again. The gradient at d is A·dz + B·u + c with
/// A = (diag(γ₃/σ₃)·V)ᵀ, B = −Vᵀ·diag(γ₃·dγ₃/(σ₃²·L))·V − diag(s₂·dγ₂/(σ₂·L)), c = −A·dβ₃/L. So dz is read twice and
/// nothing as wide as e is ever written.
extension TrainedUnit {
    /// - Parameters:
    ///   - input: x of the forward pass.
    ///   - gradient: at y; its rows are masked in place.
    ///   - inputGradient: receives the gradient at x; at stride 1 it is the same memory as `gradient`.
    ///   - isCorrelated: whether the unit behind has masked the gradient and gathered S already.
    ///   - previous: the unit that made x.
    /// - Returns: whether that was done for `previous` too.
    func backward(
        _ input: Rows<Scalar>, gradient: Rows<Scalar>, inputGradient: Rows<Scalar>, images: Int, isCorrelated: Bool,
        previous: TrainedUnit<Scalar>?,
        _ workspace: TrainingWorkspace<Scalar>
    ) -> Bool {
        precondition(
            shape.stride == 2 || gradient.pointer == inputGradient.pointer,
            "a unit of stride 1 adds its gradient to the shortcut's in place")
        if !isCorrelated { correlate(gradient, images, workspace) }
        differentiateNorms(images, workspace)
        differentiateExpand(gradient, images, workspace)
        differentiateConvolution(input, gradient, inputGradient, images, workspace)
        // A shortcut's rows shift the groups' rows, as in the forward pass.
        let fused = previous?.shape.stride == 1 ? previous : nil
        differentiateReduce(input, inputGradient, images, previous: fused, workspace)
        return fused != nil
    }

    /// Masks dy to dz and gathers dβ₃ and S for each slot.
    private func correlate(_ gradient: Rows<Scalar>, _ images: Int, _ workspace: TrainingWorkspace<Scalar>) {
        let slots = ColumnSlots(columns: images * outArea)
        workspace.pool.run(shape.groups * slots.count) { task, _ in
            let (group, slot) = task.quotientAndRemainder(dividingBy: slots.count)
            slots.forEachBlock(of: slot, rows: shape.expandColumns + 2 * shape.expandRows, as: Scalar.self) { block in
                let next = gradient.dropping(channels: shape.shortcutRows + group * shape.expandRows)
                correlate(
                    gradient, group: group, slot: slot, block, isFirst: block.first == slot * slots.width,
                    ahead: .init(next[0, block.end], stride: gradient.stride, rows: shape.expandRows), workspace)
            }
        }
    }

    /// - Parameter ahead: what is worked on after this block.
    private func correlate(
        _ gradient: Rows<Scalar>, group: Int, slot: Int, _ block: ColumnBlock, isFirst: Bool,
        ahead: PointwiseProduct<Scalar>.Input, _ workspace: TrainingWorkspace<Scalar>
    ) {
        let rows = shape.expandRows
        let inner = shape.expandColumns
        let total = shape.branchOutputs
        let branch = output.dropping(channels: shape.shortcutRows)
        let masked = gradient.dropping(channels: shape.shortcutRows)
        let sums = workspace[.sums] + slot * total
        for row in group * rows..<(group + 1) * rows {
            let sum = kernels.rectifierBackward(masked[row, block.first], out: branch[row, block.first], block.width)
            sums[row] = (isFirst ? 0 : sums[row]) + Double(sum)
        }
        var outer = RowCorrelation<Scalar>(
            .init(masked[group * rows, block.first], stride: masked.stride, rows: rows),
            .init(centred[group * inner, block.first], stride: centred.stride, rows: inner), columns: block.width,
            accumulates: !isFirst, out: workspace[.outerSlots] + (slot * total + group * rows) * inner,
            outStride: inner)
        outer.ahead = ahead
        kernels.correlate(outer)
    }

    /// dγ₃, dβ₃, dW₂, dγ₂, dβ₂ and the matrices A, B, c.
    private func differentiateNorms(_ images: Int, _ workspace: TrainingWorkspace<Scalar>) {
        let slots = ColumnSlots(columns: images * outArea).count
        workspace.pool.run(shape.groups * Self.algebraChunks) { task, _ in
            let group = task / Self.algebraChunks
            let chunk = chunkRange(task % Self.algebraChunks, of: shape.expandRows)
            let first = group * shape.expandRows
            for channel in first + chunk.lowerBound..<first + chunk.upperBound {
                differentiateExpandNorm(channel, group: group, slots: slots, count: images * outArea, workspace)
            }
        }
        workspace.pool.run(shape.groups * Self.algebraChunks) { task, _ in
            let group = task / Self.algebraChunks
            let chunk = chunkRange(task % Self.algebraChunks, of: shape.expandColumns)
            differentiateMiddleNorm(chunk, group: group, count: images * outArea, workspace)
        }
    }

    /// A channel's dγ₃, dβ₃, dW₂ and its rows of V, dV, A and of the factor that B is made with.
    private func differentiateExpandNorm(
        _ channel: Int, group: Int, slots: Int, count: Int, _ workspace: TrainingWorkspace<Scalar>
    ) {
        let inner = shape.expandColumns
        let total = shape.branchOutputs
        let begin = channel * inner
        let weights = expandWeights + begin
        let weighted = workspace[.first] + begin
        let factored = workspace[.second] + begin
        let changes = workspace[.third] + begin
        let folded = workspace[.weights] + begin
        let gram = weightedGram.pointer + begin
        let gradient = expandGradient + begin
        let scales = middleNorm.scale.pointer + group * inner
        SlotSum.reduce(
            workspace[.outerSlots] + begin, slotCount: slots, pitch: total * inner, out: changes, inner)
        let sums = workspace[.sums]
        var betaGradient = 0.0
        for slot in 0..<slots { betaGradient += sums[slot * total + channel] }
        for column in 0..<inner { weighted[column] = Double(weights[column]) * Double(scales[column]) }
        let inverse = expandNorm.inverseDeviation.pointer[channel]
        let gammaGradient = DotProduct.sum(weighted, changes, inner) * inverse
        expandNorm.setGradient(channel: channel, beta: betaGradient, gamma: gammaGradient)
        let scale = Double(expandNorm.gamma[channel]) * inverse
        let share = inverse * gammaGradient / Double(count)
        // By themselves, so that each is a loop over vectors.
        for column in 0..<inner { changes[column] = scale * (changes[column] - share * gram[column]) }
        for column in 0..<inner { gradient[column] = Float(changes[column] * Double(scales[column])) }
        for column in 0..<inner { factored[column] = -scale * share * weighted[column] }
        for column in 0..<inner { folded[column] = Float(scale * weighted[column]) }
        workspace[.coefficients][channel] = -betaGradient * scale / Double(count)
    }

    /// dγ₂, dβ₂ and the rows of B and c of some of a group's depthwise channels.
    private func differentiateMiddleNorm(
        _ chunk: Range<Int>, group: Int, count: Int, _ workspace: TrainingWorkspace<Scalar>
    ) {
        let rows = shape.expandRows
        let inner = shape.expandColumns
        let begin = group * rows * inner + chunk.lowerBound
        let weights = expandWeights + begin
        let weighted = workspace[.first] + begin
        let changes = workspace[.third] + begin
        let betas = workspace[.coefficients] + group * rows
        let firstChannel = group * inner + chunk.lowerBound
        let square = workspace[.sums] + firstChannel * inner
        // B is symmetric: what lies right of the chunk's own square is another's.
        MatrixProduct.multiply(
            .transposed, .plain, m: chunk.count, n: chunk.upperBound, k: rows, weighted, inner,
            workspace[.second] + group * rows * inner, inner, beta: 0, square, inner)
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * chunk.count) { sums in
            sums.initialize(repeating: 0)
            guard let gammaGradients = sums.baseAddress else { return }
            let offsets = gammaGradients + chunk.count
            for row in 0..<rows {
                let index = row * inner
                let beta = betas[row]
                for column in 0..<chunk.count {
                    gammaGradients[column] += Double(weights[index + column]) * changes[index + column]
                }
                for column in 0..<chunk.count { offsets[column] += weighted[index + column] * beta }
            }
            for (index, column) in chunk.enumerated() {
                let channel = firstChannel + index
                let inverse = middleNorm.inverseDeviation.pointer[channel]
                let gammaGradient = gammaGradients[index] * inverse
                middleNorm.setGradient(channel: channel, beta: 0, gamma: gammaGradient)
                square[index * inner + column] -=
                    Double(middleNorm.scale.pointer[channel]) * inverse * gammaGradient / Double(count)
                workspace[.bias][channel] = Float(offsets[index])
            }
        }
        let rounded = workspace[.square] + group * inner * inner
        for (index, column) in chunk.enumerated() {
            let row = square + index * inner
            for other in 0..<chunk.upperBound { rounded[column * inner + other] = Float(row[other]) }
            for other in 0..<chunk.lowerBound { rounded[other * inner + column] = Float(row[other]) }
        }
    }

    /// The gradient at d.
    private func differentiateExpand(_ gradient: Rows<Scalar>, _ images: Int, _ workspace: TrainingWorkspace<Scalar>) {
        let slots = ColumnSlots(columns: images * outArea)
        let rows = shape.expandRows
        let inner = shape.expandColumns
        let masked = gradient.dropping(channels: shape.shortcutRows)
        let outer = workspace.rows(.outerGradient, columns: batch * outArea)
        func packed(_ group: Int) -> PackedWeights {
            PackedWeights(workspace[.packed], group: group, rows: inner, columns: rows + inner)
        }
        workspace.pool.run(shape.groups) { group, _ in
            kernels.pack(
                [
                    WeightBlock(
                        workspace[.weights] + group * rows * inner, rowStride: 1, columnStride: inner, columns: rows),
                    WeightBlock(workspace[.square] + group * inner * inner, rowStride: inner, columns: inner),
                ], into: packed(group), inputSize: nil)
        }
        workspace.pool.run(shape.groups * slots.count) { task, _ in
            let group = task / slots.count
            slots.forEachBlock(of: task % slots.count, rows: 2 * inner + rows, as: Scalar.self) { block in
                var product = PointwiseProduct<Scalar>(
                    packed(group), columns: block.width,
                    .init(masked[group * rows, block.first], stride: masked.stride, rows: rows),
                    out: outer[group * inner, block.first], outStride: outer.stride)
                product.second = .init(centred[group * inner, block.first], stride: centred.stride, rows: inner)
                product.bias = UnsafePointer(workspace[.bias] + group * inner)
                kernels.multiply(product)
            }
        }
    }

    /// Depthwise convolution, ReLU and norm₁'s sums, a channel a task; at stride 2 the shortcut's gradient too.
    private func differentiateConvolution(
        _ input: Rows<Scalar>, _ gradient: Rows<Scalar>, _ inputGradient: Rows<Scalar>, _ images: Int,
        _ workspace: TrainingWorkspace<Scalar>
    ) {
        let outer = workspace.rows(.outerGradient, columns: batch * outArea)
        let inside = workspace.rows(.innerGradient, columns: batch * inArea)
        let affine = workspace[.coefficients]
        let middle = shape.middle
        workspace.pool.run(middle + shape.shortcutRows) { task, worker in
            let scratch = workspace.scratch(worker)
            if task >= middle {
                shortcut?.backward(
                    gradient, output, inputGradient, channel: task - middle, images: images, scratch: scratch)
                return
            }
            let source = shape.shuffleSource(of: task)
            let sums = withUnsafeTemporaryAllocation(of: Double.self, capacity: 9) { taps in
                taps.initialize(repeating: 0)
                let sums = kernels.depthwiseBackward(
                    gradient: outer[task, 0], reduced[source, 0], count: images, inputWindow,
                    scale: reduceNorm.scale.pointer[source], shift: reduceNorm.shift.pointer[source],
                    mean: Float(reduceNorm.mean.pointer[source]), kernel: depthwiseWeights + 9 * task,
                    inputGradient: inside[source, 0], kernelGradient: taps.baseAddress!, scratch: scratch)
                for tap in 0..<9 { kernelGradient[9 * task + tap] = Float(taps[tap]) }
                return sums
            }
            let (scale, slope, offset) = reduceNorm.takeGradient(
                channel: source, sum: sums.sum, weighted: sums.weighted, count: images * inArea)
            affine[source] = Double(scale)
            affine[middle + source] = Double(slope)
            affine[2 * middle + source] = Double(offset)
        }
    }

    /// dr, then dW₁ += dr·xᵀ and dx += W₁ᵀ·dr while the block is in cache, and S of `previous`, whose dy dx is.
    private func differentiateReduce(
        _ input: Rows<Scalar>, _ inputGradient: Rows<Scalar>, _ images: Int, previous: TrainedUnit<Scalar>?,
        _ workspace: TrainingWorkspace<Scalar>
    ) {
        let slots = ColumnSlots(columns: images * inArea)
        let rows = shape.reduceRows
        let inner = shape.reduceColumns
        let middle = shape.middle
        let inside = workspace.rows(.innerGradient, columns: batch * inArea)
        let affine = workspace[.coefficients]
        func packed(_ group: Int) -> PackedWeights {
            PackedWeights(workspace[.reducePacked], group: group, rows: inner, columns: rows)
        }
        workspace.pool.run(shape.reduceGroups) { group, _ in
            kernels.pack(
                [
                    WeightBlock(
                        reduceWeights + group * rows * inner, rowStride: 1, columnStride: inner, columns: rows)
                ], into: packed(group), inputSize: nil)
        }
        workspace.pool.run(shape.reduceGroups * slots.count) { task, _ in
            let (group, slot) = task.quotientAndRemainder(dividingBy: slots.count)
            slots.forEachBlock(of: slot, rows: 2 * inner + rows, as: Scalar.self) { block in
                let isFirst = block.first == slot * slots.width
                let last = (group + 1) * rows - 1
                for row in group * rows...last {
                    kernels.applyAffineGradient(
                        inside[row, block.first], input: reduced[row, block.first], scale: Float(affine[row]),
                        slope: Float(affine[middle + row]), offset: Float(affine[2 * middle + row]), block.width,
                        ahead: row < last ? inside.stride : 0)
                }
                let changes = PointwiseProduct<Scalar>.Input(
                    inside[group * rows, block.first], stride: inside.stride, rows: rows)
                let out = inputGradient[group * inner, block.first]
                var weights = RowCorrelation<Scalar>(
                    changes, .init(input[group * inner, block.first], stride: input.stride, rows: inner),
                    columns: block.width, accumulates: !isFirst,
                    out: workspace[.slots] + (slot * middle + group * rows) * inner, outStride: inner)
                weights.ahead = .init(out, stride: inputGradient.stride, rows: inner)
                kernels.correlate(weights)
                var product = PointwiseProduct<Scalar>(
                    packed(group), columns: block.width, changes, out: out, outStride: inputGradient.stride)
                product.addend = UnsafePointer(out)
                product.addendStride = inputGradient.stride
                kernels.multiply(product)
                previous?.correlate(
                    inputGradient, group: group, slot: slot, block, isFirst: isFirst,
                    ahead: .init(input[group * inner, block.end], stride: input.stride, rows: inner), workspace)
            }
        }
        let count = middle * inner
        workspace.pool.run(Self.algebraChunks) { chunk, _ in
            let range = chunkRange(chunk, of: count)
            SlotSum.reduce(
                workspace[.slots] + range.lowerBound, slotCount: slots.count, pitch: count,
                out: reduceGradient + range.lowerBound, range.count)
        }
    }
}
