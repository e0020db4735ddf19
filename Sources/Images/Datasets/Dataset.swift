/// Labelled pictures, addressed by number. A data set is immutable and may be read from any number of threads.
public protocol Dataset: Sendable {
    /// What the log calls it, for instance its folder's path.
    var name: String { get }
    var count: Int { get }
    /// Names of the classes; a label is an index into it.
    var classNames: [String] { get }
    /// The class of a record, `0..<classNames.count`.
    func label(at index: Int) -> Int
    /// A stable name of a record: its path relative to the data set's folder, or its file and number.
    func recordName(at index: Int) -> String
    /// The picture file that a record is; nil when it is part of a file that holds open pixels.
    func file(at index: Int) -> RawPath?
    /// Decodes a record into `image`, upright if the decoder's options say so.
    ///
    /// - Parameter reduction: asked how much smaller the picture may be decoded, see `ImageDecoder.decode`.
    /// - Throws: `ImageError` for a picture that cannot be used.
    func readImage(
        at index: Int, using decoder: ImageDecoder, into image: RGBImage, reduction: (ImageFacts) -> Int
    ) throws(ImageError) -> ImageFacts
}

/// A data set that cannot be used, with a sentence that names it, what was found and what was wanted.
public struct DatasetError: Error, Sendable, Hashable, CustomStringConvertible {
    public let sentence: String

    public init(_ sentence: String) {
        self.sentence = sentence
    }

    public var description: String { sentence }
}
