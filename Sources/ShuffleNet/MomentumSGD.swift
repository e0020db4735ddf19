/// The optimiser's settings: v ← μ·v + g + d·w, w ← w − lr·v (MindSpore `nn.Momentum`; no decay on γ and β).
public struct MomentumSGD: Codable, Hashable, Sendable {
    public var momentum: Float
    public var weightDecay: Float

    public init(momentum: Float = 0.9, weightDecay: Float = 4e-5) {
        self.momentum = momentum
        self.weightDecay = weightDecay
    }
}
