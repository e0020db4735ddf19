internal import CPixels

// Bilinear resize with antialiasing, as Pillow's `resize(…, BILINEAR, box)` (libImaging/Resample.c): a triangle filter
// as wide as one output pixel, columns first, then rows, weights of 22 bits, each pass rounded to 8 bits.

/// One axis: for each output position the first source position, and the weights from there on.
struct TriangleAxis {
    private struct Key: Equatable {
        var inSize: Int
        var boxStart: Double
        var boxSize: Double
        var outSize: Int
        var window: Range<Int>
    }

    fileprivate var first: [Int32] = []
    fileprivate var count: [Int32] = []
    /// Groups of four taps, and where a position's weights begin in `weights`.
    fileprivate var groups: [Int32] = []
    fileprivate var offset: [Int32] = []
    fileprivate var weights: [Int32] = []
    /// The most taps of any position.
    fileprivate var taps = 0
    private var exact: [Double] = []
    private var key: Key?

    /// Fills the tables for output positions `window` of `outSize`, which shows the stretch of `boxSize` source
    /// positions from `boxStart` of `inSize`; keeps their memory, and the tables when they are the same again.
    /// `copies` is how often each weight stands side by side: 4 for columns of packed pixels, 1 for rows.
    mutating func prepare(
        inSize: Int, boxStart: Double, boxSize: Double, outSize: Int, window: Range<Int>, copies: Int
    ) {
        let key = Key(inSize: inSize, boxStart: boxStart, boxSize: boxSize, outSize: outSize, window: window)
        if self.key == key { return }
        self.key = key
        let scale = boxSize / Double(outSize)
        let support = max(scale, 1)
        taps = 0
        first.removeAll(keepingCapacity: true)
        count.removeAll(keepingCapacity: true)
        groups.removeAll(keepingCapacity: true)
        offset.removeAll(keepingCapacity: true)
        weights.removeAll(keepingCapacity: true)
        let group = Int(SHFN_PIXELS_GROUP)
        for position in window {
            let center = boxStart + (Double(position) + 0.5) * scale
            let from = min(max(Int(center - support + 0.5), 0), inSize - 1)
            let to = max(min(Int(center + support + 0.5), inSize), from + 1)
            exact.removeAll(keepingCapacity: true)
            var sum = 0.0
            for source in from..<to {
                let weight = max(1 - abs((Double(source) - center + 0.5) * (1 / support)), 0)
                exact.append(weight)
                sum += weight
            }
            if sum == 0 {
                exact[0] = 1
                sum = 1
            }
            let padded = (exact.count + group - 1) / group * group
            first.append(Int32(from))
            count.append(Int32(exact.count))
            groups.append(Int32(padded / group))
            offset.append(Int32(weights.count))
            taps = max(taps, exact.count)
            for tap in 0..<padded {
                let weight =
                    tap < exact.count ? Int32(0.5 + exact[tap] / sum * Double(1 << Int(SHFN_PIXELS_BITS))) : 0
                for _ in 0..<copies { weights.append(weight) }
            }
        }
    }
}

/// Memory of `resizeAntialias`, kept from call to call.
struct AntialiasScratch {
    fileprivate var columns = TriangleAxis()
    fileprivate var rows = TriangleAxis()
    fileprivate var ring: [UInt8] = []
    fileprivate var window: [UnsafePointer<UInt8>?] = []
    fileprivate var out: [UInt8] = []
}

/// Resizes the box of packed RGB `inp[H][W][3]` as if to `outHeight` × `outWidth` and hands the part
/// `windowY` × `windowX` of that to `emit`, row by row from the top: its number in the window and its packed pixels,
/// which live until `emit` returns. Source pixels round the box take part, as far as the filter reaches. `inp` must be
/// readable for `RGBImage.tail` bytes past its end.
func resizeAntialias(
    _ inp: UnsafePointer<UInt8>, width: Int, height: Int,
    box: (x: Double, y: Double, width: Double, height: Double), outWidth: Int, outHeight: Int, windowX: Range<Int>,
    windowY: Range<Int>, scratch: inout AntialiasScratch, emit: (Int, UnsafePointer<UInt8>) -> Void
) {
    scratch.columns.prepare(
        inSize: width, boxStart: box.x, boxSize: box.width, outSize: outWidth, window: windowX, copies: 4)
    scratch.rows.prepare(
        inSize: height, boxStart: box.y, boxSize: box.height, outSize: outHeight, window: windowY, copies: 1)
    let values = windowX.count * 3
    // Source rows pass through a ring that holds as many as one output row needs.
    let (ringRows, ringStride) = (scratch.rows.taps, values + Int(SHFN_PIXELS_OVERWRITE))
    if scratch.ring.count < ringRows * ringStride {
        scratch.ring = [UInt8](repeating: 0, count: ringRows * ringStride)
    }
    if scratch.out.count < values { scratch.out = [UInt8](repeating: 0, count: values) }
    if scratch.window.count < ringRows { scratch.window = [UnsafePointer<UInt8>?](repeating: nil, count: ringRows) }
    let (columns, rows) = (scratch.columns, scratch.rows)
    scratch.ring.withUnsafeMutableBufferPointer { ring in
        scratch.window.withUnsafeMutableBufferPointer { window in
            scratch.out.withUnsafeMutableBufferPointer { out in
                var done = Int(rows.first[0])
                for y in 0..<windowY.count {
                    let (first, count) = (Int(rows.first[y]), Int(rows.count[y]))
                    done = max(done, first)
                    while done < first + count {
                        shfn_filter_columns(
                            inp + done * width * 3, columns.first, columns.groups, columns.offset, columns.weights,
                            windowX.count, ring.baseAddress! + done % ringRows * ringStride)
                        done += 1
                    }
                    for tap in 0..<count {
                        window[tap] = UnsafePointer(ring.baseAddress! + (first + tap) % ringRows * ringStride)
                    }
                    rows.weights.withUnsafeBufferPointer { weights in
                        shfn_filter_rows(
                            window.baseAddress!, weights.baseAddress! + Int(rows.offset[y]), count, values,
                            out.baseAddress!)
                    }
                    emit(y, UnsafePointer(out.baseAddress!))
                }
            }
        }
    }
}

/// The same, pixel by pixel in two whole passes, for the tests.
func resizeAntialiasReference(
    _ inp: [UInt8], width: Int, height: Int, box: (x: Double, y: Double, width: Double, height: Double),
    outWidth: Int, outHeight: Int
) -> [UInt8] {
    func weights(_ inSize: Int, _ start: Double, _ size: Double, _ outSize: Int, _ position: Int) -> [(Int, Int)] {
        let scale = size / Double(outSize)
        let support = max(scale, 1)
        let center = start + (Double(position) + 0.5) * scale
        let from = max(Int(center - support + 0.5), 0)
        let to = min(Int(center + support + 0.5), inSize)
        let exact = (from..<to).map { max(1 - abs((Double($0) - center + 0.5) / support), 0) }
        let sum = exact.reduce(0, +)
        return zip(from..<to, exact).map { ($0, Int(0.5 + $1 / sum * Double(1 << 22))) }
    }
    var narrow = [UInt8](repeating: 0, count: height * outWidth * 3)
    for x in 0..<outWidth {
        let taps = weights(width, box.x, box.width, outWidth, x)
        for y in 0..<height {
            for c in 0..<3 {
                let sum = taps.reduce(1 << 21) { $0 + Int(inp[(y * width + $1.0) * 3 + c]) * $1.1 }
                narrow[(y * outWidth + x) * 3 + c] = UInt8(sum >> 22)
            }
        }
    }
    var out = [UInt8](repeating: 0, count: outHeight * outWidth * 3)
    for y in 0..<outHeight {
        let taps = weights(height, box.y, box.height, outHeight, y)
        for i in 0..<outWidth * 3 {
            out[y * outWidth * 3 + i] = UInt8(
                taps.reduce(1 << 21) { $0 + Int(narrow[$1.0 * outWidth * 3 + i]) * $1.1 } >> 22)
        }
    }
    return out
}
