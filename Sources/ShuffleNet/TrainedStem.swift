import Kernels
import Support

/// First convolution, norm, ReLU and max-pool in training.
///
/// The convolution is a product with 3×3 patches made block by block; its raw output s is kept and turned into its own
/// gradient in the backward pass (the images themselves need none).
final class TrainedStem<Scalar: ActivationScalar> {
    let channels: Int
    let convolutionWindow: PlaneWindow
    let poolWindow: PlaneWindow
    let norm: BatchNorm
    /// The pooled map.
    let output: Rows<Scalar>

    private let weights: UnsafeMutablePointer<Float>
    private let weightGradient: UnsafeMutablePointer<Float>
    /// s, then its gradient.
    private let raw: Rows<Scalar>
    /// Which tap each maximum came from, `[channels][batch · pooled pixels]`, and the value of s there.
    private let taps: AlignedBuffer<UInt8>
    private let tapStride: Int
    private let maxima: Rows<Scalar>
    private let moments: AlignedBuffer<Moments>
    /// Slope and offset of the norm's gradient for each channel, and the factor of what the pool sends back.
    private let affine: AlignedBuffer<Float>
    private let memory: [AlignedBuffer<Scalar>]
    private let kernels: any ActivationKernels<Scalar>
    private let owners: [ParameterStore]

    private var patchPitch: Int { Rows<Scalar>.stride(columns: PatchBlock.columns(convolutionWindow)) }

    init(
        channels: Int, _ stem: PlacedStem, batch: Int, parameters: ParameterStore, gradients: ParameterStore,
        kernels: any ActivationKernels<Scalar>
    ) {
        self.channels = channels
        self.kernels = kernels
        convolutionWindow = stem.convolution
        poolWindow = stem.pool
        norm = BatchNorm("first_conv.1", channels: channels, parameters: parameters, gradients: gradients)
        weights = parameters.pointer("first_conv.0.weight")
        weightGradient = gradients.pointer("first_conv.0.weight")
        owners = [parameters, gradients]
        let rawColumns = batch * convolutionWindow.outArea
        let pooledColumns = batch * poolWindow.outArea
        let memory: [AlignedBuffer<Scalar>] = [
            AlignedBuffer(count: Rows<Scalar>.count(channels: channels, columns: rawColumns)),
            AlignedBuffer(count: Rows<Scalar>.count(channels: channels, columns: pooledColumns)),
            AlignedBuffer(count: Rows<Scalar>.count(channels: channels, columns: pooledColumns)),
        ]
        raw = Rows(memory[0], columns: rawColumns)
        output = Rows(memory[1], columns: pooledColumns)
        maxima = Rows(memory[2], columns: pooledColumns)
        self.memory = memory
        tapStride = pooledColumns
        taps = AlignedBuffer(count: KernelSlack.before + channels * pooledColumns + KernelSlack.after)
        moments = AlignedBuffer(count: batch * channels)
        affine = AlignedBuffer(count: 3 * channels)
    }

    func declare(_ needs: inout TrainingNeeds) {
        needs.patches(ImagePatches.rows * patchPitch + KernelSlack.after)
        needs.image(3 * convolutionWindow.inArea)
        needs.need(.packed, PackedWeights.count(rows: channels, columns: ImagePatches.rows))
        needs.need(.slots, ColumnSlots.maximum * channels * ImagePatches.rows)
    }

    func forward(_ images: any InputImages, count: Int, _ workspace: TrainingWorkspace<Scalar>) {
        let window = convolutionWindow
        let packed = PackedWeights(workspace[.packed], rows: channels, columns: ImagePatches.rows)
        kernels.pack(
            [WeightBlock(weights, rowStride: ImagePatches.rows, columns: ImagePatches.rows)], into: packed,
            inputSize: nil)
        workspace.pool.run(count) { image, worker in
            let patches = workspace.patches(worker)
            let imageMoments = moments.pointer + image * channels
            for channel in 0..<channels { imageMoments[channel] = Moments() }
            PatchBlock.forEach(window) { firstRow, rowCount in
                fillPatches(images, image, firstRow: firstRow, rowCount: rowCount, worker, workspace)
                let columns = rowCount * window.outWidth
                let first = image * window.outArea + firstRow * window.outWidth
                var product = PointwiseProduct<Scalar>(
                    packed, columns: columns, .init(patches, stride: patchPitch, rows: ImagePatches.rows),
                    out: raw[0, first], outStride: raw.stride)
                // What follows may be another thread's image.
                product.endsExactly = true
                kernels.multiply(product)
                for channel in 0..<channels {
                    imageMoments[channel].merge(kernels.moments(raw[channel, first], columns))
                }
            }
        }
        norm.take(slots: moments.pointer, count: count)
        workspace.pool.run(channels) { channel, _ in
            for image in 0..<count {
                kernels.maxPoolForward(
                    raw[channel, image * window.outArea], poolWindow, scale: norm.scale.pointer[channel],
                    shift: norm.shift.pointer[channel], out: output[channel, image * poolWindow.outArea],
                    places: places(channel, image))
            }
        }
    }

    /// The patches of a block into the worker's memory for them.
    private func fillPatches(
        _ images: any InputImages, _ image: Int, firstRow: Int, rowCount: Int, _ worker: Int,
        _ workspace: TrainingWorkspace<Scalar>
    ) {
        let planes = images.planes(
            of: image, rows: PatchBlock.inputRows(convolutionWindow, firstRow, rowCount),
            scratch: workspace.image(worker))
        kernels.fillPatches(
            planes, convolutionWindow, firstRow: firstRow, rowCount: rowCount, patches: workspace.patches(worker),
            pitch: patchPitch)
    }

    private func places(_ channel: Int, _ image: Int) -> MaxPool.Places<Scalar> {
        let first = image * poolWindow.outArea
        return MaxPool.Places(
            taps: taps.pointer + (KernelSlack.before + channel * tapStride + first), inputs: maxima[channel, first])
    }

    /// - Parameter gradient: at `output`.
    func backward(
        _ images: any InputImages, gradient: Rows<Scalar>, count: Int, _ workspace: TrainingWorkspace<Scalar>
    ) {
        let window = convolutionWindow
        workspace.pool.run(channels) { channel, _ in
            var sum = 0.0
            var weighted = 0.0
            for image in 0..<count {
                let part = kernels.maxPoolGradientSums(
                    gradient: gradient[channel, image * poolWindow.outArea], places(channel, image),
                    mean: Float(norm.mean.pointer[channel]), poolWindow.outArea)
                sum += Double(part.sum)
                weighted += Double(part.weighted)
            }
            let (scale, slope, offset) = norm.takeGradient(
                channel: channel, sum: sum, weighted: weighted, count: count * window.outArea)
            affine.pointer[3 * channel] = scale
            affine.pointer[3 * channel + 1] = slope
            affine.pointer[3 * channel + 2] = offset
        }
        let slots = min(ColumnSlots.maximum, count)
        let size = channels * ImagePatches.rows
        workspace.pool.run(slots) { slot, worker in
            let patches = workspace.patches(worker)
            var accumulates = false
            for image in slot * count / slots..<(slot + 1) * count / slots {
                for channel in 0..<channels {
                    kernels.maxPoolBackward(
                        gradient: gradient[channel, image * poolWindow.outArea], taps: places(channel, image).taps,
                        poolWindow, scale: affine.pointer[3 * channel], slope: affine.pointer[3 * channel + 1],
                        offset: affine.pointer[3 * channel + 2], raw[channel, image * window.outArea])
                }
                PatchBlock.forEach(window) { firstRow, rowCount in
                    fillPatches(images, image, firstRow: firstRow, rowCount: rowCount, worker, workspace)
                    kernels.correlate(
                        RowCorrelation<Scalar>(
                            .init(
                                raw[0, image * window.outArea + firstRow * window.outWidth], stride: raw.stride,
                                rows: channels),
                            .init(patches, stride: patchPitch, rows: ImagePatches.rows),
                            columns: rowCount * window.outWidth, accumulates: accumulates,
                            out: workspace[.slots] + slot * size, outStride: ImagePatches.rows))
                    accumulates = true
                }
            }
        }
        SlotSum.reduce(workspace[.slots], slotCount: slots, pitch: size, out: weightGradient, size)
    }
}
