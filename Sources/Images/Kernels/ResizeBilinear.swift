// OpenCV's bilinear resize of 8-bit pictures (imgproc/src/resize.cpp, INTER_LINEAR), which MindSpore's Resize calls:
// half-pixel centres, no antialiasing, weights of 11 bits.
//
//   row value  h[y][x] = inp[y][sx]·(2048 − a) + inp[y][sx + 1]·a
//   output     ((2048 − b)·(h[sy] >> 4) >> 16) + (b·(h[sy + 1] >> 4) >> 16) + 2 >> 2
//
// Left and right of the picture the weight is set to 0; above and below the row is repeated with its weight kept, which
// rounds differently.

/// One axis of a bilinear resize: for each output position the source position and the weight of its neighbour.
struct BilinearAxis {
    private(set) var source: [Int32] = []
    private(set) var weight: [Int16] = []

    /// Fills the tables for output positions `window` of `outSize` from `inSize`; keeps their memory.
    /// With `clamps`, weights beyond the first and last source position are 0 (columns), else kept (rows).
    mutating func prepare(inSize: Int, outSize: Int, window: Range<Int>, clamps: Bool) {
        source.removeAll(keepingCapacity: true)
        weight.removeAll(keepingCapacity: true)
        let scale = 1 / (Double(outSize) / Double(inSize))
        for position in window {
            var f = Float((Double(position) + 0.5) * scale - 0.5)
            var s = Int(f.rounded(.down))
            f -= Float(s)
            if clamps && s < 0 { (s, f) = (0, 0) }
            if clamps && s >= inSize - 1 { (s, f) = (inSize - 1, 0) }
            source.append(Int32(s))
            weight.append(Int16((f * 2048).rounded(.toNearestOrEven)))
        }
    }
}

/// Memory of `resizeBilinear`, kept from call to call.
struct BilinearScratch {
    fileprivate var columns = BilinearAxis()
    fileprivate var rows = BilinearAxis()
    fileprivate var upper: [Int16] = []
    fileprivate var lower: [Int16] = []
    fileprivate var out: [UInt8] = []
}

/// Resizes packed RGB `inp[H][W][3]` (rows `stride` bytes apart) as if to `outHeight` × `outWidth` and hands the part
/// `windowY` × `windowX` of that to `emit`, row by row from the top: its number in the window and its packed pixels,
/// which live until `emit` returns. After the last pixel of `inp` up to 3 bytes may be read.
func resizeBilinear(
    _ inp: UnsafePointer<UInt8>, width: Int, height: Int, stride: Int, outWidth: Int, outHeight: Int,
    windowX: Range<Int>, windowY: Range<Int>, scratch: inout BilinearScratch,
    emit: (Int, UnsafePointer<UInt8>) -> Void
) {
    scratch.columns.prepare(inSize: width, outSize: outWidth, window: windowX, clamps: true)
    scratch.rows.prepare(inSize: height, outSize: outHeight, window: windowY, clamps: false)
    let values = windowX.count * 3
    if scratch.upper.count < values {
        scratch.upper = [Int16](repeating: 0, count: values)
        scratch.lower = [Int16](repeating: 0, count: values)
        scratch.out = [UInt8](repeating: 0, count: values)
    }
    let rows = scratch.rows
    scratch.columns.source.withUnsafeBufferPointer { sx in
        scratch.columns.weight.withUnsafeBufferPointer { a in
            scratch.upper.withUnsafeMutableBufferPointer { first in
                scratch.lower.withUnsafeMutableBufferPointer { second in
                    scratch.out.withUnsafeMutableBufferPointer { out in
                        var (upper, lower) = (first.baseAddress!, second.baseAddress!)
                        var (upperRow, lowerRow) = (-1, -1)
                        for y in 0..<windowY.count {
                            let sy = Int(rows.source[y])
                            let (top, bottom) = (min(max(sy, 0), height - 1), min(max(sy + 1, 0), height - 1))
                            // Going down, the lower row of before is often the upper row of now.
                            if upperRow != top && lowerRow == top {
                                swap(&upper, &lower)
                                swap(&upperRow, &lowerRow)
                            }
                            if upperRow != top {
                                blendColumns(inp + top * stride, sx, a, into: upper)
                                upperRow = top
                            }
                            if lowerRow != bottom {
                                if top == bottom {
                                    lower.update(from: upper, count: values)
                                } else {
                                    blendColumns(inp + bottom * stride, sx, a, into: lower)
                                }
                                lowerRow = bottom
                            }
                            blendRows(upper, lower, weight: rows.weight[y], count: values, into: out.baseAddress!)
                            emit(y, UnsafePointer(out.baseAddress!))
                        }
                    }
                }
            }
        }
    }
}

/// `out[x][c] = (inp[sx][c]·(2048 − a) + inp[sx + 1][c]·a) >> 4`, at most 32640.
private func blendColumns(
    _ inp: UnsafePointer<UInt8>, _ sx: UnsafeBufferPointer<Int32>, _ a: UnsafeBufferPointer<Int16>,
    into out: UnsafeMutablePointer<Int16>
) {
    for x in 0..<sx.count {
        let from = inp + Int(sx[x]) * 3
        let right = Int32(a[x])
        let left = 2048 &- right
        // With weight 0 the neighbour may lie outside the picture and is not looked at.
        let next = right == 0 ? from : from + 3
        for c in 0..<3 {
            out[x * 3 + c] = Int16(truncatingIfNeeded: (Int32(from[c]) &* left &+ Int32(next[c]) &* right) &>> 4)
        }
    }
}

private func blendRows(
    _ upper: UnsafePointer<Int16>, _ lower: UnsafePointer<Int16>, weight: Int16, count: Int,
    into out: UnsafeMutablePointer<UInt8>
) {
    let b1 = Int32(weight)
    let b0 = 2048 &- b1
    for i in 0..<count {
        let sum = ((b0 &* Int32(upper[i])) &>> 16) &+ ((b1 &* Int32(lower[i])) &>> 16) &+ 2
        out[i] = UInt8(truncatingIfNeeded: sum &>> 2)
    }
}

/// The same by the formula, pixel by pixel, for the tests.
func resizeBilinearReference(
    _ inp: [UInt8], width: Int, height: Int, outWidth: Int, outHeight: Int
) -> [UInt8] {
    var out: [UInt8] = []
    let (scaleX, scaleY) = (1 / (Double(outWidth) / Double(width)), 1 / (Double(outHeight) / Double(height)))
    for y in 0..<outHeight {
        let fy = Float((Double(y) + 0.5) * scaleY - 0.5)
        let sy = Int(fy.rounded(.down))
        let b = Int(((fy - Float(sy)) * 2048).rounded(.toNearestOrEven))
        for x in 0..<outWidth {
            let fx = Float((Double(x) + 0.5) * scaleX - 0.5)
            let sx = Int(fx.rounded(.down))
            let inside = sx >= 0 && sx < width - 1
            let a = inside ? Int(((fx - Float(sx)) * 2048).rounded(.toNearestOrEven)) : 0
            let left = min(max(sx, 0), width - 1)
            for c in 0..<3 {
                func row(_ y: Int) -> Int {
                    let from = (min(max(y, 0), height - 1) * width + left) * 3 + c
                    return Int(inp[from]) * (2048 - a) + (a == 0 ? 0 : Int(inp[from + 3]) * a)
                }
                let sum = (((2048 - b) * (row(sy) >> 4)) >> 16) + ((b * (row(sy + 1) >> 4)) >> 16)
                out.append(UInt8((sum + 2) >> 2))
            }
        }
    }
    return out
}
