public import Support

/// A network ready to classify: batch norm folded into weights and biases, work memory allocated once.
///
/// One `run` at a time. The session copies what it needs from the network; after training, `refresh()` takes the new
/// values over.
public final class InferenceSession {
    public let network: Network
    /// Side of the square input, at least `NetworkConfiguration.minimumPixels`.
    public let pixels: Int
    public let maximumBatch: Int

    public init(network: Network, pixels: Int, maximumBatch: Int, pool: ThreadPool) {
        self.network = network
        self.pixels = pixels
        self.maximumBatch = maximumBatch
    }

    /// Folds the network's present values again.
    public func refresh() {
    }

    /// Classifies `count` images.
    ///
    /// - Parameters:
    ///   - images: `[count][3][pixels][pixels]`, contiguous float32.
    ///   - count: 1 ... `maximumBatch`.
    ///   - logits: receives `[count][classes]`.
    public func run(images: UnsafePointer<Float>, count: Int, logits: UnsafeMutablePointer<Float>) {
    }
}
