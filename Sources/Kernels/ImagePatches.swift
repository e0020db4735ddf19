/// The 3×3 patches of a three-channel image as a matrix, so that the first convolution is a matrix product too.
public enum ImagePatches {
    /// Rows of the matrix: channel, then tap.
    public static var rows: Int { 27 }

    /// Patches of the stride-2, padding-1 windows of output rows `firstRow ..< firstRow + rowCount`.
    ///
    /// - Parameters:
    ///   - image: `[3][height][width]`; nothing outside it is read.
    ///   - patches: receives `[27][rowCount·outWidth]`, rows `pitch` apart, of which `laneCount` elements after the
    ///     last used one may be overwritten.
    public static func fill(
        _ image: UnsafePointer<Float>, _ window: PlaneWindow, firstRow: Int, rowCount: Int,
        patches: UnsafeMutablePointer<Float>, pitch: Int
    ) {
        let width = window.inWidth
        let outWidth = window.outWidth
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
                            left[x] = 0
                            middle[x] = 0
                            right[x] = 0
                        }
                        continue
                    }
                    let source = image + channel * window.inArea + y * width
                    left[start] = 0
                    var x = 0
                    while 2 * x + 2 * laneCount <= width {
                        let pair = source.split(2 * x)
                        middle.store(pair.even, start + x)
                        right.store(pair.odd, start + x)
                        left.store(pair.odd, start + x + 1)
                        x += laneCount
                    }
                    while x < outWidth {
                        middle[start + x] = source[2 * x]
                        let odd = 2 * x + 1 < width ? source[2 * x + 1] : 0
                        right[start + x] = odd
                        if x + 1 < outWidth { left[start + x + 1] = odd }
                        x += 1
                    }
                }
            }
        }
    }

    public static func reference<Element: BinaryFloatingPoint>(
        _ image: UnsafePointer<Element>, _ window: PlaneWindow, firstRow: Int, rowCount: Int,
        patches: UnsafeMutablePointer<Element>, pitch: Int
    ) {
        for channel in 0..<3 {
            for tap in 0..<9 {
                for row in 0..<rowCount {
                    for x in 0..<window.outWidth {
                        let index = window.inputIndex(firstRow + row, x, tap: tap)
                        patches[(9 * channel + tap) * pitch + row * window.outWidth + x] =
                            index.map { image[channel * window.inArea + $0] } ?? 0
                    }
                }
            }
        }
    }
}
