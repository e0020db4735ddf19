import Kernels
import Support

/// First convolution and max-pool in inference, the norm folded into the convolution; bias and ReLU are the pool's.
final class FoldedStem {
    let channels: Int
    let convolutionWindow: PlaneWindow
    let poolWindow: PlaneWindow
    private let weights: AlignedBuffer<Float>
    let bias: AlignedBuffer<Float>

    private var patchPitch: Int { Rows.stride(columns: PatchBlock.columns(convolutionWindow)) }
    /// Scratch floats for one worker.
    var scratchCount: Int { max(ImagePatches.rows * patchPitch + 64, poolWindow.scratchCount) }

    init(channels: Int, pixels: Int) {
        self.channels = channels
        convolutionWindow = .convolution(height: pixels, width: pixels, stride: 2)
        poolWindow = .same(height: convolutionWindow.outHeight, width: convolutionWindow.outWidth)
        weights = AlignedBuffer(count: channels * ImagePatches.rows)
        bias = AlignedBuffer(count: channels)
    }

    func fold(_ parameters: ParameterStore) {
        let norm = FoldedNorm("first_conv.1", parameters, channels: channels)
        let raw = parameters.pointer("first_conv.0.weight")
        for channel in 0..<channels {
            bias.pointer[channel] = Float(norm.shift[channel])
            for index in channel * ImagePatches.rows..<(channel + 1) * ImagePatches.rows {
                weights.pointer[index] = Float(Double(raw[index]) * norm.scale[channel])
            }
        }
    }

    /// - Parameters:
    ///   - images: `[count][3][pixels][pixels]`.
    ///   - raw: receives the convolution before bias and ReLU.
    ///   - output: receives the pooled map.
    func run(
        _ images: UnsafePointer<Float>, count: Int, raw: Rows, output: Rows, scratch: UnsafeMutablePointer<Float>
    ) {
        let window = convolutionWindow
        for image in 0..<count {
            PatchBlock.forEach(window) { firstRow, rowCount in
                ImagePatches.fill(
                    images + image * 3 * window.inArea, window, firstRow: firstRow, rowCount: rowCount,
                    patches: scratch, pitch: patchPitch)
                MatrixProduct.multiply(
                    m: channels, n: rowCount * window.outWidth, k: ImagePatches.rows, weights.pointer,
                    ImagePatches.rows, scratch, patchPitch, beta: 0,
                    raw[0, image * window.outArea + firstRow * window.outWidth], raw.stride)
            }
            for channel in 0..<channels {
                MaxPool.forward(
                    raw[channel, image * window.outArea], poolWindow, scale: 1, shift: bias.pointer[channel],
                    out: output[channel, image * poolWindow.outArea], scratch: scratch)
            }
        }
    }
}
