import Kernels

/// How an image's output rows are cut into blocks whose patches stay in cache.
enum PatchBlock {
    private static let target = 1024

    private static func height(_ window: PlaneWindow) -> Int {
        max(1, min(window.outHeight, target / window.outWidth))
    }

    /// Columns of the largest block.
    static func columns(_ window: PlaneWindow) -> Int { height(window) * window.outWidth }

    static func count(_ window: PlaneWindow) -> Int { (window.outHeight + height(window) - 1) / height(window) }

    /// The output rows of a block.
    static func rows(_ window: PlaneWindow, _ block: Int) -> (firstRow: Int, rowCount: Int) {
        let first = block * height(window)
        return (first, min(height(window), window.outHeight - first))
    }

    /// The image's rows that the patches of output rows are cut from.
    static func inputRows(_ window: PlaneWindow, _ firstRow: Int, _ rowCount: Int) -> Range<Int> {
        let first = firstRow * window.stride - window.padTop
        return max(first, 0)..<min(first + (rowCount - 1) * window.stride + 3, window.inHeight)
    }

    @inline(__always)
    static func forEach(_ window: PlaneWindow, _ body: (_ firstRow: Int, _ rowCount: Int) -> Void) {
        for block in 0..<count(window) {
            let (firstRow, rowCount) = rows(window, block)
            body(firstRow, rowCount)
        }
    }
}
