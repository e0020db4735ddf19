internal import Kernels

extension LaneKernels {
    public func updateWithMomentum(
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
}
