internal import Kernels

/// Nine kernel values, each in every lane.
struct WindowKernel {
    var k0, k1, k2, k3, k4, k5, k6, k7, k8: Lanes

    @inline(__always)
    init(_ values: UnsafePointer<Float>) {
        k0 = Lanes(repeating: values[0])
        k1 = Lanes(repeating: values[1])
        k2 = Lanes(repeating: values[2])
        k3 = Lanes(repeating: values[3])
        k4 = Lanes(repeating: values[4])
        k5 = Lanes(repeating: values[5])
        k6 = Lanes(repeating: values[6])
        k7 = Lanes(repeating: values[7])
        k8 = Lanes(repeating: values[8])
    }

    /// Taps in the opposite order: a gradient runs the other way.
    @inline(__always)
    var reversed: WindowKernel {
        var other = self
        (other.k0, other.k1, other.k2) = (k8, k7, k6)
        (other.k3, other.k5) = (k5, k3)
        (other.k6, other.k7, other.k8) = (k2, k1, k0)
        return other
    }

    /// All ones: the sum over the window.
    @inline(__always)
    init() {
        let one = Lanes(repeating: 1)
        (k0, k1, k2, k3, k4, k5, k6, k7, k8) = (one, one, one, one, one, one, one, one, one)
    }
}

/// The gradients at stride 2.
enum WindowSum {
    /// Row `y` of the gradient at the window's input, before any factor: `line[x]` for x in `0 ..< inWidth`.
    ///
    /// `origin` is the bordered gradient of the output. Returns where the row begins inside `line`.
    @inline(__always)
    static func inputGradient(
        row y: Int, _ origin: UnsafePointer<Float>, _ window: PlaneWindow, kernel: WindowKernel,
        line: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float> {
        let pitch = window.pitch
        let padded = y + window.padTop
        let row = origin + padded / 2 * pitch
        var x = 0
        while x < pitch {
            var even: Lanes
            var odd: Lanes
            if padded % 2 == 0 {
                let above = row - pitch
                even = row.lanes(x) * kernel.k0
                even = multiplyAdd(even, row.lanes(x - 1), kernel.k2)
                even = multiplyAdd(even, above.lanes(x), kernel.k6)
                even = multiplyAdd(even, above.lanes(x - 1), kernel.k8)
                odd = row.lanes(x) * kernel.k1
                odd = multiplyAdd(odd, above.lanes(x), kernel.k7)
            } else {
                even = row.lanes(x) * kernel.k3
                even = multiplyAdd(even, row.lanes(x - 1), kernel.k5)
                odd = row.lanes(x) * kernel.k4
            }
            line.interleave(even, odd, 2 * x)
            x += laneCount
        }
        return line + window.padLeft
    }

    /// `sums[t] += Σ gradient · split tap t`: the kernel's gradient. The border's zeros cancel the meaningless columns.
    static func kernelGradient(
        _ split: UnsafePointer<Float>, _ origin: UnsafePointer<Float>, _ window: PlaneWindow,
        sums: UnsafeMutablePointer<Double>
    ) {
        let count = window.flatCount
        for dy in 0..<3 {
            let a = split + window.tapOffset(3 * dy)
            let b = split + window.tapOffset(3 * dy + 1)
            let c = split + window.tapOffset(3 * dy + 2)
            var sumA = Lanes.zero
            var sumB = Lanes.zero
            var sumC = Lanes.zero
            var index = 0
            while index < count {
                let gradient = origin.lanes(index)
                sumA = multiplyAdd(sumA, a.lanes(index), gradient)
                sumB = multiplyAdd(sumB, b.lanes(index), gradient)
                sumC = multiplyAdd(sumC, c.lanes(index), gradient)
                index += laneCount
            }
            sums[3 * dy] += Double(sumA.total)
            sums[3 * dy + 1] += Double(sumB.total)
            sums[3 * dy + 2] += Double(sumC.total)
        }
    }
}
