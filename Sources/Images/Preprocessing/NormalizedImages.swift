/// Pictures of the network's size in 8-bit colours, which become its values when they are read: memory between those who
/// decode and those who compute is a quarter of what the values would take.
public struct NormalizedImages {
    /// `[count][pixels][pixels][3]`: red, green, blue.
    public let colours: UnsafePointer<UInt8>
    /// Side of each picture.
    public let pixels: Int
    private let normalization: Normalization

    /// - Parameter colours: `[count][pixels][pixels][3]`.
    public init(_ colours: UnsafePointer<UInt8>, _ preprocessing: Preprocessing) {
        self.colours = colours
        pixels = preprocessing.pixels
        normalization = Normalization(mean: preprocessing.mean, std: preprocessing.std)
    }

    /// Writes rows `rows` of image `image` to their places in `planes`, `[3][pixels][pixels]` float32.
    public func write(rows: Range<Int>, of image: Int, into planes: UnsafeMutablePointer<Float>) {
        for y in rows {
            normalization.normalizeRow(
                colours + (image * pixels + y) * pixels * 3, width: pixels, into: planes + y * pixels,
                plane: pixels * pixels)
        }
    }
}
