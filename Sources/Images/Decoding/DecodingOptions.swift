/// What a decoder may spend on one picture and how strict it is. The same in training, evaluation and classification.
public struct DecodingOptions: Sendable, Hashable {
    /// Pictures with more pixels are `too_large`; looked at in the header, before any memory is taken.
    public var maximumPixels: Int
    /// Files with more bytes are `too_large` without being read.
    public var maximumFileBytes: Int
    /// Whether to turn the picture upright as its EXIF orientation says.
    public var orientation: Orientation
    /// What to do when the data end early or are damaged.
    public var truncation: Truncation

    public enum Orientation: String, Sendable, Codable, Hashable {
        case apply
        /// The pixels as they are stored.
        case ignore
    }

    public enum Truncation: String, Sendable, Codable, Hashable {
        /// The picture is `unreadable`. A file that lacks only what follows its last pixel is not truncated.
        case reject
        /// What is there is decoded; the rest is what the library leaves (grey in a JPEG, black in a PNG).
        case tolerate
    }

    public init(
        maximumPixels: Int = 100_000_000, maximumFileBytes: Int = 256 << 20, orientation: Orientation = .apply,
        truncation: Truncation = .reject
    ) {
        self.maximumPixels = maximumPixels
        self.maximumFileBytes = maximumFileBytes
        self.orientation = orientation
        self.truncation = truncation
    }
}
