internal import CPixels

/// Turns 8-bit colours into the network's values, in MindSpore's order of operations in float32, each rounded:
/// `Rescale(1/255)` multiplies by the rounded reciprocal, `Normalize` subtracts the mean, then divides.
struct Normalization: Sendable {
    /// Red, green, blue, on the scale 0...1.
    let mean: [Float]
    let std: [Float]

    init(mean: [Float], std: [Float]) {
        precondition(mean.count == 3 && std.count == 3, "mean and std have one value for each of three colours")
        self.mean = mean
        self.std = std
    }

    /// One row `rgb[width][3]` to a row of three planes, `plane` values apart.
    func normalizeRow(
        _ rgb: UnsafePointer<UInt8>, width: Int, into out: UnsafeMutablePointer<Float>, plane: Int
    ) {
        shfn_normalize_row(rgb, width, mean, std, out, plane)
    }
}
