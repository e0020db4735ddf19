/// How a picture becomes the network's input. One value serves training, evaluation and classification, and travels
/// inside the checkpoint as JSON, so that a model is never fed pictures made in another way than it was trained with.
///
/// 8-bit RGB → upright → resized (8 bits) → cropped → `(x · (1/255) − mean) / std` as float32 planes `[3][H][W]`.
public struct Preprocessing: Sendable, Hashable, Codable {
    public enum Filter: String, Sendable, Hashable, Codable {
        /// OpenCV's 8-bit bilinear, half-pixel centres, no antialiasing: bit for bit what MindSpore's Resize gives.
        case bilinear
        /// Triangle filter as wide as an output pixel: bit for bit Pillow's BILINEAR.
        case antialias
    }

    public enum Geometry: Sendable, Hashable {
        /// To a square, whatever the picture's proportions.
        case stretch
        /// The shorter side to this many pixels (at least `pixels`), proportions kept, then the middle square.
        case centreCrop(shorterSide: Int)
    }

    /// Side of the square input, in pixels.
    public var pixels: Int
    public var filter: Filter
    public var geometry: Geometry
    /// Mean and standard deviation of red, green and blue, on the scale 0...1.
    public var mean: [Float]
    public var std: [Float]
    public var orientation: DecodingOptions.Orientation
    /// A JPEG may be decoded smaller by 2, 4 or 8 as long as it stays this many times as large as its resized form; nil
    /// decodes it whole. Only with `.antialias`.
    public var reductionGap: Double?

    public static let sides = 1...4096

    /// - Throws: `PreprocessingError` for values outside their range.
    public init(
        pixels: Int, filter: Filter, geometry: Geometry, mean: [Float], std: [Float],
        orientation: DecodingOptions.Orientation = .apply, reductionGap: Double? = nil
    ) throws(PreprocessingError) {
        self.init(
            unchecked: pixels, filter: filter, geometry: geometry, mean: mean, std: std, orientation: orientation,
            reductionGap: reductionGap)
        try validate()
    }

    private init(
        unchecked pixels: Int, filter: Filter, geometry: Geometry, mean: [Float], std: [Float],
        orientation: DecodingOptions.Orientation, reductionGap: Double?
    ) {
        self.pixels = pixels
        self.filter = filter
        self.geometry = geometry
        self.mean = mean
        self.std = std
        self.orientation = orientation
        self.reductionGap = reductionGap
    }

    /// The source document's: stretched by MindSpore's Resize, statistics of CIFAR-10.
    public static func cifar10(pixels: Int = 224) -> Preprocessing {
        Preprocessing(
            unchecked: pixels, filter: .bilinear, geometry: .stretch, mean: [0.4914, 0.4822, 0.4465],
            std: [0.2023, 0.1994, 0.2010], orientation: .apply, reductionGap: nil)
    }

    /// The usual one for photographs: shorter side to 8/7 of `pixels` (256 for 224), antialiased, middle square,
    /// statistics of ImageNet.
    public static func photographs(pixels: Int = 224) -> Preprocessing {
        Preprocessing(
            unchecked: pixels, filter: .antialias, geometry: .centreCrop(shorterSide: (pixels * 8 + 3) / 7),
            mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], orientation: .apply, reductionGap: 2)
    }

    /// Throws when a value is outside its range. Values changed after creation are checked by whoever stores them.
    public func validate() throws(PreprocessingError) {
        guard Self.sides.contains(pixels) else {
            throw PreprocessingError("pixels is \(pixels), wanted \(Self.sides.lowerBound) to \(Self.sides.upperBound)")
        }
        if case .centreCrop(let side) = geometry, !(pixels...Self.sides.upperBound * 4).contains(side) {
            throw PreprocessingError("shorter_side is \(side), wanted at least pixels, which is \(pixels)")
        }
        guard mean.count == 3, mean.allSatisfy(\.isFinite) else {
            throw PreprocessingError("mean is \(mean), wanted three numbers")
        }
        guard std.count == 3, std.allSatisfy({ $0.isFinite && $0 > 0 }) else {
            throw PreprocessingError("std is \(std), wanted three numbers above 0")
        }
        if let reductionGap, !(reductionGap >= 1 && reductionGap.isFinite) {
            throw PreprocessingError("reduction_gap is \(reductionGap), wanted 1 or more")
        }
    }

    /// Values of one image, and bytes of its colours: `3 · pixels · pixels`.
    public var elementsPerImage: Int { 3 * pixels * pixels }
}

/// A preprocessing with a value outside its range; the sentence says which.
public struct PreprocessingError: Error, Sendable, Hashable, CustomStringConvertible {
    public let sentence: String

    init(_ sentence: String) {
        self.sentence = sentence
    }

    public var description: String { "the preprocessing is not valid: \(sentence)" }
}
