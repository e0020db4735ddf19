import KernelSets
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
    func backward(
        _ input: Rows, gradient: Rows, inputGradient: Rows, images: Int, _ workspace: TrainingWorkspace
    ) {
        precondition(
            shape.stride == 2 || gradient.pointer == inputGradient.pointer,
            "a unit of stride 1 adds its gradient to the shortcut's in place")
        correlate(gradient, images, workspace)
        differentiateNorms(images, workspace)
        differentiateExpand(gradient, images, workspace)
        differentiateConvolution(input, gradient, inputGradient, images, workspace)
        differentiateReduce(input, inputGradient, images, workspace)
    }

    /// Masks dy to dz and gathers dβ₃ and S for each slot.
    private func correlate(_ gradient: Rows, _ images: Int, _ workspace: TrainingWorkspace) {
        let slots = ColumnSlots(columns: images * outArea)
        let rows = shape.expandRows
        let inner = shape.expandColumns
        let total = shape.branchOutputs
        let branch = output.dropping(channels: shape.shortcutRows)
        let masked = gradient.dropping(channels: shape.shortcutRows)
        workspace.pool.run(shape.groups * slots.count) { task, _ in
            let group = task / slots.count
            let slot = task % slots.count
            let sums = workspace[.sums] + slot * total
            for row in group * rows..<(group + 1) * rows { sums[row] = 0 }
            var accumulates = false
            slots.forEachBlock(of: slot, rows: inner + 2 * rows) { first, width in
                for row in group * rows..<(group + 1) * rows {
                    sums[row] += Double(kernels.rectifierBackward(masked[row, first], out: branch[row, first], width))
                }
                kernels.correlate(
                    RowCorrelation(
                        .init(masked[group * rows, first], stride: masked.stride, rows: rows),
                        .init(centred[group * inner, first], stride: centred.stride, rows: inner), columns: width,
                        accumulates: accumulates, out: workspace[.slots] + (slot * total + group * rows) * inner,
                        outStride: inner))
                accumulates = true
            }
        }
    }

    /// dγ₃, dβ₃, dW₂, dγ₂, dβ₂ and the matrices A, B, c.
    private func differentiateNorms(_ images: Int, _ workspace: TrainingWorkspace) {
        let slots = ColumnSlots(columns: images * outArea)
        let rows = shape.expandRows
        let inner = shape.expandColumns
        let total = shape.branchOutputs
        let count = Double(images * outArea)
        let scales = middleNorm.scale.pointer
        // V, then diag(…)·V, and dV.
        let weighted = workspace[.first]
        let factored = workspace[.second]
        let changes = workspace[.third]
        let betas = workspace[.coefficients]
        workspace.pool.run(shape.groups * Self.algebraChunks) { task, _ in
            let group = task / Self.algebraChunks
            let chunk = chunkRange(task % Self.algebraChunks, of: rows)
            let begin = (group * rows + chunk.lowerBound) * inner
            SlotSum.reduce(
                workspace[.slots] + begin, slotCount: slots.count, pitch: total * inner, out: changes + begin,
                chunk.count * inner)
            for row in chunk {
                let channel = group * rows + row
                var betaGradient = 0.0
                for slot in 0..<slots.count { betaGradient += workspace[.sums][slot * total + channel] }
                let inverse = expandNorm.inverseDeviation.pointer[channel]
                var gammaGradient = 0.0
                for column in 0..<inner {
                    let index = channel * inner + column
                    weighted[index] = Double(expandWeights[index]) * Double(scales[group * inner + column])
                    gammaGradient += weighted[index] * changes[index]
                }
                gammaGradient *= inverse
                expandNorm.setGradient(channel: channel, beta: betaGradient, gamma: gammaGradient)
                let scale = Double(expandNorm.gamma[channel]) * inverse
                let share = inverse * gammaGradient / count
                for column in 0..<inner {
                    let index = channel * inner + column
                    let change = scale * (changes[index] - share * weightedGram.pointer[index])
                    changes[index] = change
                    expandGradient[index] = Float(change * Double(scales[group * inner + column]))
                    factored[index] = -scale * share * weighted[index]
                    workspace[.weights][index] = Float(scale * weighted[index])
                }
                betas[channel] = -betaGradient * scale / count
            }
        }
        workspace.pool.run(shape.groups * Self.algebraChunks) { task, _ in
            let group = task / Self.algebraChunks
            let chunk = chunkRange(task % Self.algebraChunks, of: inner)
            let begin = group * rows * inner
            let square = workspace[.sums] + (group * inner + chunk.lowerBound) * inner
            MatrixProduct.multiply(
                .transposed, .plain, m: chunk.count, n: inner, k: rows, weighted + begin + chunk.lowerBound, inner,
                factored + begin, inner, beta: 0, square, inner)
            for (index, column) in chunk.enumerated() {
                let channel = group * inner + column
                var gammaGradient = 0.0
                var offset = 0.0
                for row in 0..<rows {
                    let position = begin + row * inner + column
                    gammaGradient += Double(expandWeights[position]) * changes[position]
                    offset += weighted[position] * betas[group * rows + row]
                }
                let inverse = middleNorm.inverseDeviation.pointer[channel]
                gammaGradient *= inverse
                middleNorm.setGradient(channel: channel, beta: 0, gamma: gammaGradient)
                square[index * inner + column] -= Double(scales[channel]) * inverse * gammaGradient / count
                workspace[.bias][channel] = Float(offset)
                for other in 0..<inner {
                    workspace[.square][channel * inner + other] = Float(square[index * inner + other])
                }
            }
        }
    }

    /// The gradient at d.
    private func differentiateExpand(_ gradient: Rows, _ images: Int, _ workspace: TrainingWorkspace) {
        let slots = ColumnSlots(columns: images * outArea)
        let rows = shape.expandRows
        let inner = shape.expandColumns
        let masked = gradient.dropping(channels: shape.shortcutRows)
        let outer = workspace.rows(.outerGradient, columns: batch * outArea)
        let packedCount = inner * (rows + inner)
        workspace.pool.run(shape.groups) { group, _ in
            kernels.pack(
                [
                    WeightBlock(
                        workspace[.weights] + group * rows * inner, rowStride: 1, columnStride: inner, columns: rows),
                    WeightBlock(workspace[.square] + group * inner * inner, rowStride: inner, columns: inner),
                ], rows: inner, into: workspace[.packed] + group * packedCount)
        }
        workspace.pool.run(shape.groups * slots.count) { task, _ in
            let group = task / slots.count
            slots.forEachBlock(of: task % slots.count, rows: 2 * inner + rows) { first, width in
                var product = PointwiseProduct(
                    workspace[.packed] + group * packedCount, rows: inner, columns: width,
                    .init(masked[group * rows, first], stride: masked.stride, rows: rows),
                    out: outer[group * inner, first], outStride: outer.stride)
                product.second = .init(centred[group * inner, first], stride: centred.stride, rows: inner)
                product.bias = UnsafePointer(workspace[.bias] + group * inner)
                kernels.multiply(product)
            }
        }
    }

    /// Depthwise convolution, ReLU and norm₁'s sums, a channel a task; at stride 2 the shortcut's gradient too.
    private func differentiateConvolution(
        _ input: Rows, _ gradient: Rows, _ inputGradient: Rows, _ images: Int, _ workspace: TrainingWorkspace
    ) {
        let outer = workspace.rows(.outerGradient, columns: batch * outArea)
        let inside = workspace.rows(.innerGradient, columns: batch * inArea)
        let affine = workspace[.coefficients]
        let middle = shape.middle
        workspace.pool.run(middle + shape.shortcutRows) { task, worker in
            let scratch = workspace.scratch(worker)
            if task >= middle {
                let channel = task - middle
                for image in 0..<images {
                    kernels.averagePoolBackward(
                        gradient: gradient[channel, image * outArea], out: output[channel, image * outArea],
                        shortcutWindow, inverseCounts: inverseCounts.pointer,
                        inputGradient: inputGradient[channel, image * inArea], scratch: scratch)
                }
                return
            }
            let source = shape.shuffleSource(of: task)
            var sum = 0.0
            var weighted = 0.0
            withUnsafeTemporaryAllocation(of: Double.self, capacity: 9) { sums in
                sums.initialize(repeating: 0)
                for image in 0..<images {
                    let part = kernels.depthwiseBackward(
                        gradient: outer[task, image * outArea], reduced[source, image * inArea], inputWindow,
                        scale: reduceNorm.scale.pointer[source], shift: reduceNorm.shift.pointer[source],
                        mean: Float(reduceNorm.mean.pointer[source]), kernel: depthwiseWeights + 9 * task,
                        inputGradient: inside[source, image * inArea], kernelGradient: sums.baseAddress!,
                        scratch: scratch)
                    sum += Double(part.sum)
                    weighted += Double(part.weighted)
                }
                for tap in 0..<9 { kernelGradient[9 * task + tap] = Float(sums[tap]) }
            }
            let (scale, slope, offset) = reduceNorm.takeGradient(
                channel: source, sum: sum, weighted: weighted, count: images * inArea)
            affine[source] = Double(scale)
            affine[middle + source] = Double(slope)
            affine[2 * middle + source] = Double(offset)
        }
    }

    /// dr, then dW₁ += dr·xᵀ and dx += W₁ᵀ·dr while the block is in cache.
    private func differentiateReduce(
        _ input: Rows, _ inputGradient: Rows, _ images: Int, _ workspace: TrainingWorkspace
    ) {
        let slots = ColumnSlots(columns: images * inArea)
        let rows = shape.reduceRows
        let inner = shape.reduceColumns
        let middle = shape.middle
        let inside = workspace.rows(.innerGradient, columns: batch * inArea)
        let affine = workspace[.coefficients]
        workspace.pool.run(shape.reduceGroups) { group, _ in
            kernels.pack(
                [
                    WeightBlock(
                        reduceWeights + group * rows * inner, rowStride: 1, columnStride: inner, columns: rows)
                ], rows: inner, into: workspace[.packed] + group * rows * inner)
        }
        workspace.pool.run(shape.reduceGroups * slots.count) { task, _ in
            let group = task / slots.count
            let slot = task % slots.count
            var accumulates = false
            slots.forEachBlock(of: slot, rows: 2 * inner + rows) { first, width in
                for row in group * rows..<(group + 1) * rows {
                    kernels.applyAffineGradient(
                        inside[row, first], input: reduced[row, first], scale: Float(affine[row]),
                        slope: Float(affine[middle + row]), offset: Float(affine[2 * middle + row]), width)
                }
                let changes = PointwiseProduct.Input(inside[group * rows, first], stride: inside.stride, rows: rows)
                kernels.correlate(
                    RowCorrelation(
                        changes, .init(input[group * inner, first], stride: input.stride, rows: inner),
                        columns: width, accumulates: accumulates,
                        out: workspace[.slots] + (slot * middle + group * rows) * inner, outStride: inner))
                accumulates = true
                let out = inputGradient[group * inner, first]
                var product = PointwiseProduct(
                    workspace[.packed] + group * rows * inner, rows: inner, columns: width, changes, out: out,
                    outStride: inputGradient.stride)
                product.addend = UnsafePointer(out)
                product.addendStride = inputGradient.stride
                kernels.multiply(product)
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
