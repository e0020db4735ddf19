import Kernels
import Support

/// The shortcut of a unit of stride 2: an average pool of the input, whose ReLU is the unit's last.
final class Shortcut<Scalar: ActivationScalar> {
    let window: PlaneWindow
    private let kernels: any ActivationKernels<Scalar>
    private let inverseCounts: AlignedBuffer<Float>

    init(_ window: PlaneWindow, kernels: any ActivationKernels<Scalar>) {
        self.window = window
        self.kernels = kernels
        inverseCounts = AlignedBuffer(count: window.outArea + KernelSlack.after)
        AveragePool.fillInverseCounts(window, into: inverseCounts.pointer)
    }

    /// One channel of all images.
    func forward(_ input: Rows<Scalar>, _ output: Rows<Scalar>, channel: Int, images: Int) {
        for image in 0..<images {
            kernels.averagePoolForward(
                input[channel, image * window.inArea], window, inverseCounts: inverseCounts.pointer,
                out: output[channel, image * window.outArea])
        }
    }

    /// The gradient at one channel of the input, for all images.
    func backward(
        _ gradient: Rows<Scalar>, _ output: Rows<Scalar>, _ inputGradient: Rows<Scalar>, channel: Int, images: Int,
        scratch: UnsafeMutablePointer<Float>
    ) {
        for image in 0..<images {
            kernels.averagePoolBackward(
                gradient: gradient[channel, image * window.outArea], out: output[channel, image * window.outArea],
                window, inverseCounts: inverseCounts.pointer,
                inputGradient: inputGradient[channel, image * window.inArea], scratch: scratch)
        }
    }
}
