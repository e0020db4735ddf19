public import Images

/// How picture files are read: the same in training, evaluation and classification.
public struct PictureOptions: Codable, Sendable, Equatable {
    /// Whether pictures are turned upright as their EXIF orientation says. Nil: as the model was trained; for a new
    /// model they are.
    public var orientation: DecodingOptions.Orientation?
    /// Decodes what there is of a picture that ends early or is damaged, instead of calling it unreadable.
    public var tolerateTruncated = false
    /// Pictures with more pixels are not decoded.
    public var maximumPixels = DecodingOptions().maximumPixels
    /// Pictures that need more processor time are given up.
    public var decodeSeconds = DecodingOptions().maximumSeconds

    public init() {}

    /// What is wrong with the options, a sentence each; empty when all is well.
    var mistakes: [String] {
        var mistakes: [String] = []
        if !(1...1_000_000_000).contains(maximumPixels) {
            mistakes.append("max_pixels is \(maximumPixels); wanted 1 to 1000000000")
        }
        if !(0.001...86_400).contains(decodeSeconds) {
            mistakes.append("decode_seconds is \(decodeSeconds); wanted 0.001 to 86400")
        }
        return mistakes
    }

    /// Reads the keys that all kinds of job have in common.
    mutating func read(from reader: inout ArgumentReader) {
        reader.choice("orientation", into: &orientation)
        reader.flag("tolerate_truncated", into: &tolerateTruncated)
        reader.integer("max_pixels", into: &maximumPixels)
        reader.number("decode_seconds", into: &decodeSeconds)
    }

    /// What the decoder is told; the orientation is the preprocessing's.
    var decoding: DecodingOptions {
        DecodingOptions(
            maximumPixels: maximumPixels, maximumSeconds: decodeSeconds,
            truncation: tolerateTruncated ? .tolerate : .reject)
    }

    /// A model's preprocessing with these options' orientation, if they have one.
    func applied(to preprocessing: Preprocessing) -> Preprocessing {
        var preprocessing = preprocessing
        if let orientation { preprocessing.orientation = orientation }
        return preprocessing
    }
}
