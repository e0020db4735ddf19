import Kernels
import Support

/// First convolution and max-pool in inference, the norm folded into the convolution.
final class FoldedStem<Scalar: ActivationScalar> {
    let channels: Int
    let convolutionWindow: PlaneWindow
    let poolWindow: PlaneWindow
    private let memory: AlignedBuffer<Float>
    private let weights: PackedWeights
    private let bias: AlignedBuffer<Float>
    private let kernels: any ActivationKernels<Scalar>

    private var patchPitch: Int { Rows<Scalar>.stride(columns: PatchBlock.columns(convolutionWindow)) }
    /// Elements of patches for one worker.
    var patchCount: Int { ImagePatches.rows * patchPitch + KernelSlack.after }

    init(channels: Int, _ stem: PlacedStem, kernels: any ActivationKernels<Scalar>) {
        self.channels = channels
        self.kernels = kernels
        convolutionWindow = stem.convolution
        poolWindow = stem.pool
        memory = AlignedBuffer(count: PackedWeights.count(rows: channels, columns: ImagePatches.rows))
        weights = PackedWeights(memory.pointer, rows: channels, columns: ImagePatches.rows)
        bias = AlignedBuffer(count: channels)
    }

    /// - Returns: the mean square that the output is expected to have.
    func fold(_ parameters: ParameterStore) -> Double {
        let norm = FoldedNorm("first_conv.1", parameters, channels: channels)
        let raw = parameters.pointer("first_conv.0.weight")
        let folded = AlignedBuffer<Float>(count: channels * ImagePatches.rows)
        for channel in 0..<channels {
            bias.pointer[channel] = Float(norm.shift[channel])
            for index in channel * ImagePatches.rows..<(channel + 1) * ImagePatches.rows {
                folded.pointer[index] = Float(Double(raw[index]) * norm.scale[channel])
            }
        }
        withExtendedLifetime(folded) {
            kernels.pack(
                [WeightBlock(folded.pointer, rowStride: ImagePatches.rows, columns: ImagePatches.rows)],
                into: weights, inputSize: 1)
        }
        return norm.outputSquare
    }

    /// - Parameters:
    ///   - images: of which `count` from `first` on are taken.
    ///   - raw: receives the convolution after ReLU.
    ///   - output: receives the pooled map.
    func run(
        _ images: any InputImages, from first: Int, count: Int, raw: Rows<Scalar>, output: Rows<Scalar>,
        _ team: InferenceTeam<Scalar>
    ) {
        let window = convolutionWindow
        for image in 0..<count {
            team.run(PatchBlock.count(window)) { block, scratch in
                let (firstRow, rowCount) = PatchBlock.rows(window, block)
                kernels.fillPatches(
                    images.planes(
                        of: first + image, rows: PatchBlock.inputRows(window, firstRow, rowCount),
                        scratch: scratch.image),
                    window, firstRow: firstRow, rowCount: rowCount,
                    patches: scratch.patches, pitch: patchPitch)
                var product = PointwiseProduct<Scalar>(
                    weights, columns: rowCount * window.outWidth,
                    .init(scratch.patches, stride: patchPitch, rows: ImagePatches.rows),
                    out: raw[0, image * window.outArea + firstRow * window.outWidth], outStride: raw.stride)
                product.bias = UnsafePointer(bias.pointer)
                product.isRectified = true
                // What follows may be another thread's block.
                product.endsExactly = true
                kernels.multiply(product)
            }
            team.run(channels) { channel, _ in
                kernels.maxPoolForward(
                    raw[channel, image * window.outArea], poolWindow, out: output[channel, image * poolWindow.outArea])
            }
        }
    }
}
