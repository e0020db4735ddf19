internal import Kernels

extension LaneActivationKernels {
    func fillPatches(
        _ image: UnsafePointer<Float>, _ window: PlaneWindow, firstRow: Int, rowCount: Int,
        patches: UnsafeMutablePointer<Scalar>, pitch: Int
    ) {
        let width = window.inWidth
        let outWidth = window.outWidth
        // From a row to the one of the next patches, which is asked for meanwhile.
        let ahead = 2 * rowCount * width
        for channel in 0..<3 {
            for dy in 0..<3 {
                let left = patches + (9 * channel + 3 * dy) * pitch
                let middle = left + pitch
                let right = middle + pitch
                for row in 0..<rowCount {
                    let y = 2 * (firstRow + row) + dy - 1
                    let start = row * outWidth
                    if y < 0 || y >= window.inHeight {
                        for x in start..<start + outWidth {
                            left[x] = .zero
                            middle[x] = .zero
                            right[x] = .zero
                        }
                        continue
                    }
                    let source = image + channel * window.inArea + y * width
                    left[start] = .zero
                    var x = 0
                    while 2 * x + 2 * laneCount <= width {
                        source.prefetchPair(2 * x + ahead)
                        let pair = source.split(2 * x)
                        middle.store(pair.even, start + x)
                        right.store(pair.odd, start + x)
                        left.store(pair.odd, start + x + 1)
                        x += laneCount
                    }
                    while x < outWidth {
                        middle[start + x] = Scalar(rounding: source[2 * x])
                        let odd = Scalar(rounding: 2 * x + 1 < width ? source[2 * x + 1] : 0)
                        right[start + x] = odd
                        if x + 1 < outWidth { left[start + x + 1] = odd }
                        x += 1
                    }
                }
            }
        }
    }
}
