/// One array's step of momentum SGD.
public enum MomentumUpdate {
    /// v ← momentum·v + g + decay·w ; w ← w − rate·v, over `count` values (MindSpore `nn.Momentum`).
    public static func reference<Element: BinaryFloatingPoint>(
        weights: UnsafeMutablePointer<Element>, velocities: UnsafeMutablePointer<Element>,
        gradients: UnsafePointer<Element>, _ count: Int, rate: Element, momentum: Element, decay: Element
    ) {
        for index in 0..<count {
            velocities[index] = momentum * velocities[index] + gradients[index] + decay * weights[index]
            weights[index] -= rate * velocities[index]
        }
    }
}
