/// What stands round the last product of a unit: bias and shortcut before it, ReLU after it; and the ReLU's gradient.
public enum Rectifier {
    /// `out = bias + residual` over `count` values, what the product is then added to; `residual` may be nil.
    public static func prepare(
        _ out: UnsafeMutablePointer<Float>, bias: Float, residual: UnsafePointer<Float>?, _ count: Int
    ) {
        guard let residual else {
            UnsafeMutableBufferPointer(start: out, count: count).update(repeating: bias)
            return
        }
        let biases = Lanes(repeating: bias)
        var index = 0
        while index + laneCount <= count {
            out.store(residual.lanes(index) + biases, index)
            index += laneCount
        }
        while index < count {
            out[index] = residual[index] + bias
            index += 1
        }
    }

    /// `out = max(out, 0)` over `count` values, in place; NaN stays NaN.
    public static func forward(_ out: UnsafeMutablePointer<Float>, _ count: Int) {
        var index = 0
        while index + laneCount <= count {
            out.store(out.lanes(index).rectified, index)
            index += laneCount
        }
        while index < count {
            if out[index] < 0 { out[index] = 0 }
            index += 1
        }
    }

    /// `gradient = out > 0 ? gradient : 0` in place; returns the sum of what remains.
    public static func backward(
        _ gradient: UnsafeMutablePointer<Float>, out: UnsafePointer<Float>, _ count: Int
    ) -> Float {
        var sum0 = Lanes.zero
        var sum1 = Lanes.zero
        var index = 0
        while index + 2 * laneCount <= count {
            let a = gradient.lanes(index).replacing(with: 0, where: out.lanes(index) .<= Lanes.zero)
            let b = gradient.lanes(index + laneCount)
                .replacing(with: 0, where: out.lanes(index + laneCount) .<= Lanes.zero)
            gradient.store(a, index)
            gradient.store(b, index + laneCount)
            sum0 += a
            sum1 += b
            index += 2 * laneCount
        }
        var rest: Float = 0
        while index < count {
            if out[index] <= 0 { gradient[index] = 0 }
            rest += gradient[index]
            index += 1
        }
        return (sum0 + sum1).total + rest
    }

    public static func prepareReference<Element: BinaryFloatingPoint>(
        _ out: UnsafeMutablePointer<Element>, bias: Element, residual: UnsafePointer<Element>?, _ count: Int
    ) {
        for index in 0..<count { out[index] = bias + (residual?[index] ?? 0) }
    }

    public static func forwardReference<Element: BinaryFloatingPoint>(
        _ out: UnsafeMutablePointer<Element>, _ count: Int
    ) {
        for index in 0..<count { out[index] = max(out[index], 0) }
    }

    public static func backwardReference<Element: BinaryFloatingPoint>(
        _ gradient: UnsafeMutablePointer<Element>, out: UnsafePointer<Element>, _ count: Int
    ) -> Element {
        var sum: Element = 0
        for index in 0..<count {
            gradient[index] = out[index] > 0 ? gradient[index] : 0
            sum += gradient[index]
        }
        return sum
    }
}
