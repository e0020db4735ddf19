/// How the loss of a training step is formed from the logits.
public struct LossOptions: Hashable, Sendable {
    /// The share ε of the target that is spread over all classes: (1 − ε)·onehot + ε / K.
    public var labelSmoothing: Float
    /// Gradients are computed of the loss times this and divided by it before the update, which keeps those apart from
    /// zero that a narrow type would flush (MindSpore's `FixedLossScaleManager` with `drop_overflow_update=False`).
    /// bfloat16 has float32's exponents and needs none; a power of two changes next to nothing in either.
    public var scale: Float

    public init(labelSmoothing: Float = 0.1, scale: Float = 1) {
        self.labelSmoothing = labelSmoothing
        self.scale = scale
    }
}
