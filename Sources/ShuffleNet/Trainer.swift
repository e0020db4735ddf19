public import Support

/// Trains a network in place: forward, backward and update, with all memory allocated at the start.
///
/// Results depend on the network's values, the batches, the velocities and nothing else: not on the number of
/// threads, so a resumed run that restores parameters, running statistics and velocities goes on bit for bit.
public final class Trainer {
    public let network: Network
    /// Side of the square input, at least `NetworkConfiguration.minimumPixels`.
    public let pixels: Int
    /// The largest batch a step may have.
    public let batch: Int
    public var optimizer: MomentumSGD
    public let labelSmoothing: Float

    public init(
        network: Network, pixels: Int, batch: Int, pool: ThreadPool, optimizer: MomentumSGD = MomentumSGD(),
        labelSmoothing: Float = 0.1
    ) {
        self.network = network
        self.pixels = pixels
        self.batch = batch
        self.optimizer = optimizer
        self.labelSmoothing = labelSmoothing
    }

    /// One step of momentum SGD on the mean label-smoothed cross-entropy of a batch.
    ///
    /// - Parameters:
    ///   - images: `[count][3][pixels][pixels]`, contiguous float32.
    ///   - labels: `[count]`, each in `0 ..< classes`.
    ///   - count: 1 ... `batch`; an epoch's last batch may be smaller.
    public func step(
        images: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int, learningRate: Float
    ) -> StepResult {
        StepResult(loss: 0, correct: 0)
    }

    /// The gradient of the last step's loss with respect to the trainable array `name`.
    public func gradient(of name: String) throws(NetworkError) -> [Float] {
        []
    }

    /// The optimiser's velocity (MindSpore's `moments.<name>`), zero at the start.
    public func velocity(of name: String) throws(NetworkError) -> [Float] {
        []
    }

    public func setVelocity(_ values: [Float], of name: String) throws(NetworkError) {
    }
}
