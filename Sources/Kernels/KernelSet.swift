/// The engine's inner loops, written for one instruction set.
public protocol KernelSet: Sendable {
    /// The loops over activations in each of their two forms.
    var float32: any ActivationKernels<Float> { get }
    var bfloat16: any ActivationKernels<BFloat16> { get }

    /// `MomentumUpdate`.
    func updateWithMomentum(
        weights: UnsafeMutablePointer<Float>, velocities: UnsafeMutablePointer<Float>,
        gradients: UnsafePointer<Float>, _ count: Int, rate: Float, momentum: Float, decay: Float)

    // Measure.

    /// Multiply-adds in registers alone: how fast the core can be. Returns how many operations they were, and a sum
    /// that keeps them from being left out.
    func exercise(rounds: Int) -> (operations: Int, sum: Float)
}
