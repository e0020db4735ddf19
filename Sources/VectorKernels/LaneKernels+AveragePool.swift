internal import Kernels

extension LaneActivationKernels {
    func averagePoolForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, inverseCounts: UnsafePointer<Float>,
        out: UnsafeMutablePointer<Scalar>, scratch: UnsafeMutablePointer<Float>
    ) {
        let width = window.inWidth
        let pitch = 2 * window.pitch
        // The sums of three rows first, all of them, so that nothing is read back while it is still on its way to memory.
        for y in 0..<window.outHeight {
            let top = 2 * y - window.padTop
            let first = plane + max(top, 0) * width
            let middle = plane + (top + 1) * width
            let isLast = top + 2 >= window.inHeight
            let last = isLast ? middle : middle + width
            let line = scratch + (y * pitch + window.padLeft)
            var x = 0
            while x < width {
                var sum = middle.lanes(x)
                if top >= 0 { sum += first.lanes(x) }
                if !isLast { sum += last.lanes(x) }
                line.store(sum, x)
                x += laneCount
            }
            // What lies beyond was overwritten by whole vectors, or never written.
            if window.padLeft == 1 { line[-1] = 0 }
            for after in width..<pitch { line[after] = 0 }
        }
        for y in 0..<window.outHeight {
            let line = UnsafePointer(scratch + y * pitch)
            var x = 0
            while x < window.outWidth {
                let (even, odd) = line.split(2 * x)
                let next = line.split(2 * x + 2).even
                let index = y * window.outWidth + x
                let average = (even + odd + next) * inverseCounts.lanes(index)
                out.store(average.rectified, index, before: window.outArea)
                x += laneCount
            }
        }
    }

    func averagePoolBackward(
        gradient: UnsafePointer<Scalar>, out: UnsafePointer<Scalar>, _ window: PlaneWindow,
        inverseCounts: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Scalar>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let origin = PlaneSplit.border(gradient, window, into: scratch) { value, index in
            (value * inverseCounts.lanes(index)).replacing(with: 0, where: out.lanes(index) .<= Lanes.zero)
        }
        let ones = WindowKernel()
        let width = window.inWidth
        let line = scratch + window.lineOffset
        for y in 0..<window.inHeight {
            let row = WindowSum.inputGradient(row: y, origin, window, kernel: ones, line: line)
            var x = 0
            while x < width {
                inputGradient.store(row.lanes(x), y * width + x, before: window.inArea)
                x += laneCount
            }
        }
    }
}
