/// The 3×3 patches of a three-channel image as a matrix, so that the first convolution is a matrix product too.
public enum ImagePatches {
    /// Rows of the matrix: channel, then tap.
    public static var rows: Int { 27 }

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
