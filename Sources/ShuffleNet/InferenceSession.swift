public import KernelSets
import Kernels
public import Support

/// A network ready to classify: batch norm folded into weights and biases, work memory allocated once.
///
/// One `run` at a time. The session copies what it needs from the network; after training, `refresh()` takes the new
/// values over. Results do not depend on the number of threads.
public final class InferenceSession {
    public let network: Network
    /// Side of the square input, at least `NetworkConfiguration.minimumPixels`.
    public let pixels: Int
    public let maximumBatch: Int
    public let precision: Precision

    private let folded: any ClassifyingNetwork

    /// - Parameter instructionSet: one that is supported.
    public init(
        network: Network, pixels: Int, maximumBatch: Int, pool: ThreadPool, precision: Precision = .float32,
        instructionSet: InstructionSet = .current
    ) {
        precondition(maximumBatch >= 1, "a session needs a batch of at least one image, not \(maximumBatch)")
        self.network = network
        self.pixels = pixels
        self.maximumBatch = maximumBatch
        self.precision = precision
        func make<Scalar>(_: Scalar.Type) -> FoldedNetwork<Scalar> {
            FoldedNetwork(
                network.configuration, pixels: pixels, maximumBatch: maximumBatch, kernels: instructionSet.kernels,
                pool: pool)
        }
        folded =
            switch precision {
            case .float32: make(Float.self)
            case .bfloat16: make(BFloat16.self)
            }
        refresh()
    }

    /// Folds the network's present values again.
    public func refresh() { folded.fold(network.store) }

    /// Classifies `count` images.
    ///
    /// - Parameters:
    ///   - images: `[count][3][pixels][pixels]`, contiguous float32.
    ///   - count: 1 ... `maximumBatch`.
    ///   - logits: receives `[count][classes]`.
    public func run(images: UnsafePointer<Float>, count: Int, logits: UnsafeMutablePointer<Float>) {
        run(images: PlanarImages(images, pixels: pixels), count: count, logits: logits)
    }

    /// The same for the first `count` images of any source of `pixels` × `pixels`.
    public func run(images: some InputImages, count: Int, logits: UnsafeMutablePointer<Float>) {
        precondition(count >= 1 && count <= maximumBatch, "a run takes 1 to \(maximumBatch) images, not \(count)")
        folded.run(images: images, count: count, logits: logits)
    }
}

extension InferenceSession {
    /// A layer's output for one image.
    public struct Activation: Hashable, Sendable {
        /// `first_conv`, `maxpool`, `features.0` … `features.15`.
        public let name: String
        /// `[channels, height, width]`.
        public let shape: [Int]
        public let values: [Float]
    }

    /// Every layer's output for one image `[3][pixels][pixels]`, in order: for tests and for looking inside.
    public func activations(image: UnsafePointer<Float>) -> [Activation] {
        folded.activations(image: PlanarImages(image, pixels: pixels))
    }
}
