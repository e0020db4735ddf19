/// A picture of a data set that could not be used.
public struct UnreadableImage: Sendable, Hashable, Codable {
    /// Its number in the data set.
    public let index: Int
    public let name: String
    /// A sentence.
    public let error: String
}

/// The pictures of a data set that could not be used, each once however often it was tried.
public struct UnreadableImages: Sendable {
    public private(set) var all: [UnreadableImage] = []
    private var indices: Set<Int> = []

    public var count: Int { all.count }

    /// Returns whether the picture is a new one.
    mutating func insert(_ image: UnreadableImage) -> Bool {
        guard indices.insert(image.index).inserted else { return false }
        all.append(image)
        return true
    }
}

/// More pictures could not be used than the limit allows.
public struct TooManyUnreadableImages: Error, Sendable, Hashable, CustomStringConvertible {
    public let dataset: String
    public let records: Int
    /// The permitted share of the records, 0...1.
    public let limit: Double
    public let images: [UnreadableImage]

    /// How many of the list `description` shows.
    static let shown = 20

    public var description: String {
        let percent = (limit * 10_000).rounded() / 100
        var text = "data set '\(dataset)': \(images.count) of \(records) images could not be used, wanted at most "
        text += "\(percent) %; repair or remove them, or raise the limit:"
        for image in images.prefix(Self.shown) { text += "\n  \(SafeText.escaped(image.name)): \(image.error)" }
        if images.count > Self.shown { text += "\n  and \(images.count - Self.shown) more" }
        return text
    }
}
