/// Why one picture could not be used, with a sentence that names what was found.
public struct ImageError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The words of the `status` column of `predictions.csv`.
    public enum Kind: String, Sendable, Codable, CaseIterable {
        /// A picture of a known kind whose data are damaged, empty or end early; or a file the system would not read.
        case unreadable
        /// Neither JPEG, PNG nor WebP by its content, a kind of them that cannot be decoded, or no regular file.
        case unsupported
        /// More pixels or bytes than the limits allow, for which nothing was allocated; or more time.
        case tooLarge = "too_large"
        /// The file was listed and is gone.
        case missing
    }

    public let kind: Kind
    public let sentence: String

    public init(_ kind: Kind, _ sentence: String) {
        self.kind = kind
        self.sentence = sentence
    }

    public var description: String { sentence }
}
