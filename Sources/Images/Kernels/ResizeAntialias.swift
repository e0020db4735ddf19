// Bilinear resize with antialiasing, as Pillow's `resize(…, BILINEAR, box)` (libImaging/Resample.c): a triangle filter
// as wide as one output pixel, columns first, then rows, weights of 22 bits, each pass rounded to 8 bits.

/// One axis: for each output position the first source position, and the weights from there on.
struct TriangleAxis {
    fileprivate var first: [Int] = []
    fileprivate var count: [Int] = []
    /// `taps` weights for each output position, those past `count` are 0.
    fileprivate var weights: [Int32] = []
    fileprivate var taps = 0
    private var exact: [Double] = []

    static let bits: Int32 = 22

    /// Fills the tables for output positions `window` of `outSize`, which shows the stretch of `boxSize` source
    /// positions from `boxStart` of `inSize`; keeps their memory.
    mutating func prepare(inSize: Int, boxStart: Double, boxSize: Double, outSize: Int, window: Range<Int>) {
        let scale = boxSize / Double(outSize)
        let support = max(scale, 1)
        taps = Int(support.rounded(.up)) * 2 + 1
        first.removeAll(keepingCapacity: true)
        count.removeAll(keepingCapacity: true)
        weights.removeAll(keepingCapacity: true)
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
            for weight in exact { weights.append(Int32(0.5 + weight / sum * Double(1 << Self.bits))) }
            for _ in exact.count..<max(taps, exact.count) { weights.append(0) }
            first.append(from)
            count.append(to - from)
        }
    }
}

/// Memory of `resizeAntialias`, kept from call to call.
struct AntialiasScratch {
    fileprivate var columns = TriangleAxis()
    fileprivate var rows = TriangleAxis()
    fileprivate var ring: [UInt8] = []
}

/// Resizes the box of packed RGB `inp[H][W][3]` as if to `outHeight` × `outWidth` and writes the part
/// `windowY` × `windowX` of that to `out`, packed. Source pixels round the box take part, as far as the filter
/// reaches. `inp` must be readable for one byte, `out` writable for one byte past its last pixel.
func resizeAntialias(
    _ inp: UnsafePointer<UInt8>, width: Int, height: Int,
    box: (x: Double, y: Double, width: Double, height: Double), outWidth: Int, outHeight: Int, windowX: Range<Int>,
    windowY: Range<Int>, into out: UnsafeMutablePointer<UInt8>, scratch: inout AntialiasScratch
) {
    scratch.columns.prepare(inSize: width, boxStart: box.x, boxSize: box.width, outSize: outWidth, window: windowX)
    scratch.rows.prepare(inSize: height, boxStart: box.y, boxSize: box.height, outSize: outHeight, window: windowY)
    let values = windowX.count * 3
    // Source rows pass through a ring that holds as many as one output row needs.
    let (ringRows, ringStride) = (scratch.rows.taps, values + 16)
    if scratch.ring.count < ringRows * ringStride {
        scratch.ring = [UInt8](repeating: 0, count: ringRows * ringStride)
    }
    let (columns, rows) = (scratch.columns, scratch.rows)
    scratch.ring.withUnsafeMutableBufferPointer { ringBuffer in
        let ring = ringBuffer.baseAddress!
        var done = rows.first[0]
        for y in 0..<windowY.count {
            let (first, count) = (rows.first[y], rows.count[y])
            done = max(done, first)
            while done < first + count {
                filterColumns(inp + done * width * 3, columns, into: ring + done % ringRows * ringStride)
                done += 1
            }
            rows.weights.withUnsafeBufferPointer { weights in
                filterRows(
                    ring, ringRows: ringRows, ringStride: ringStride, first: first, count: count,
                    weights: weights.baseAddress! + y * rows.taps, values: values, into: out + y * values)
            }
        }
    }
}

/// `out[x] = Σ weight · inp[first + t]`, three colours in the first lanes of four. Stores four bytes at each `x`; the
/// fourth is overwritten by the next.
private func filterColumns(_ inp: UnsafePointer<UInt8>, _ axis: TriangleAxis, into out: UnsafeMutablePointer<UInt8>) {
    let half = SIMD4<Int32>(repeating: 1 << (TriangleAxis.bits - 1))
    axis.weights.withUnsafeBufferPointer { weights in
        for x in 0..<axis.first.count {
            let from = UnsafeRawPointer(inp + axis.first[x] * 3)
            let weight = weights.baseAddress! + x * axis.taps
            var sum = half
            for t in 0..<axis.count[x] {
                let pixel = (from + t * 3).loadUnaligned(as: SIMD4<UInt8>.self)
                sum &+= SIMD4<Int32>(truncatingIfNeeded: pixel) &* weight[t]
            }
            let rounded = SIMD4<UInt8>(truncatingIfNeeded: sum &>> TriangleAxis.bits)
            UnsafeMutableRawPointer(out + x * 3).storeBytes(of: rounded, as: SIMD4<UInt8>.self)
        }
    }
}

/// `out[i] = Σ weight · ring[first + t][i]`, sixteen values at a time. The weights are not negative and sum to one
/// within rounding, so no sum leaves 0...255.
private func filterRows(
    _ ring: UnsafePointer<UInt8>, ringRows: Int, ringStride: Int, first: Int, count: Int,
    weights: UnsafePointer<Int32>, values: Int, into out: UnsafeMutablePointer<UInt8>
) {
    let half = SIMD16<Int32>(repeating: 1 << (TriangleAxis.bits - 1))
    var i = 0
    while i < values {
        var sum = half
        var row = first % ringRows
        for t in 0..<count {
            let pixels = UnsafeRawPointer(ring + row * ringStride + i).loadUnaligned(as: SIMD16<UInt8>.self)
            sum &+= SIMD16<Int32>(truncatingIfNeeded: pixels) &* weights[t]
            row = row + 1 == ringRows ? 0 : row + 1
        }
        let rounded = SIMD16<UInt8>(truncatingIfNeeded: sum &>> TriangleAxis.bits)
        if i + 16 <= values {
            UnsafeMutableRawPointer(out + i).storeBytes(of: rounded, as: SIMD16<UInt8>.self)
        } else {
            for lane in 0..<(values - i) { out[i + lane] = rounded[lane] }
        }
        i += 16
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
