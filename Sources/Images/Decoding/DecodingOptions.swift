/// What a decoder may spend on one picture and how strict it is. The same in training, evaluation and classification.
public struct DecodingOptions: Sendable, Hashable, Codable {
    /// Pictures with more pixels are `too_large`; looked at in the header, before any memory is taken.
    public var maximumPixels: Int
    /// Files with more bytes are `too_large` without being read.
    public var maximumFileBytes: Int
    /// Pictures that need more processor time are `too_large`. Only a helper process can be held to it, see
    /// `DecodeIsolation`.
    public var maximumSeconds: Double
    /// Whether to turn the picture upright as its EXIF orientation says.
    public var orientation: Orientation
    /// What to do when the data end early or are damaged.
    public var truncation: Truncation

    public enum Orientation: String, Sendable, Codable, Hashable, CaseIterable {
        case apply
        /// The pixels as they are stored.
        case ignore
    }

    public enum Truncation: String, Sendable, Codable, Hashable {
        /// The picture is `unreadable`. A file that lacks only what follows its last pixel (the end mark of a JPEG of one
        /// scan, the last chunks of a PNG) is not truncated; a checksum over pixels that is wrong or cut off is damage.
        case reject
        /// What is there is decoded; the rest is what the library leaves (grey in a JPEG, black in a PNG or WebP). A
        /// file that ends before its first row (of a JPEG: of blocks) stays `unreadable`.
        case tolerate
    }

    public init(
        maximumPixels: Int = 100_000_000, maximumFileBytes: Int = 256 << 20, maximumSeconds: Double = 30,
        orientation: Orientation = .apply, truncation: Truncation = .reject
    ) {
        self.maximumPixels = maximumPixels
        self.maximumFileBytes = maximumFileBytes
        self.maximumSeconds = maximumSeconds
        self.orientation = orientation
        self.truncation = truncation
    }
}
