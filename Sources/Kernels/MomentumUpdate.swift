/// One array's step of momentum SGD.
public enum MomentumUpdate {
    /// v ← momentum·v + g + decay·w ; w ← w − rate·v, over `count` values (MindSpore `nn.Momentum`).
    public static func apply(
        weights: UnsafeMutablePointer<Float>, velocities: UnsafeMutablePointer<Float>,
        gradients: UnsafePointer<Float>, _ count: Int, rate: Float, momentum: Float, decay: Float
    ) {
        var index = 0
        while index + laneCount <= count {
            let weight = weights.lanes(index)
            let velocity = velocities.lanes(index) * momentum + (gradients.lanes(index) + weight * decay)
            velocities.store(velocity, index)
            weights.store(weight - velocity * rate, index)
            index += laneCount
        }
        while index < count {
            let velocity = velocities[index] * momentum + (gradients[index] + weights[index] * decay)
            velocities[index] = velocity
            weights[index] -= velocity * rate
            index += 1
        }
    }

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
