/// The 256 values a colour's byte can become, in MindSpore's order of operations in float32, each rounded:
/// `Rescale(1/255)` multiplies by the rounded reciprocal, `Normalize` subtracts the mean, then divides.
struct NormalizationTable: Sendable {
    /// `[3][256]`
    let values: [Float]

    init(mean: [Float], std: [Float]) {
        precondition(mean.count == 3 && std.count == 3, "mean and std have one value for each of three colours")
        let reciprocal: Float = 1 / 255
        values = (0..<3).flatMap { c in (0..<256).map { (Float($0) * reciprocal - mean[c]) / std[c] } }
    }
}

/// Packed RGB `inp[H][W][3]` to planes `out[3][H][W]` through the table; `mirrored` turns each row round.
func normalizePlanes(
    _ inp: UnsafePointer<UInt8>, width: Int, height: Int, table: NormalizationTable, mirrored: Bool,
    into out: UnsafeMutablePointer<Float>
) {
    table.values.withUnsafeBufferPointer { values in
        let red = values.baseAddress!
        let (green, blue) = (red + 256, red + 512)
        let plane = height * width
        for y in 0..<height {
            var from = inp + y * width * 3
            var to = out + y * width + (mirrored ? width - 1 : 0)
            let step = mirrored ? -1 : 1
            for _ in 0..<width {
                to[0] = red[Int(from[0])]
                to[plane] = green[Int(from[1])]
                to[2 * plane] = blue[Int(from[2])]
                from += 3
                to += step
            }
        }
    }
}
