/// Some records of another data set, in the order given.
public struct SubsetDataset: Dataset {
    public let name: String
    public let base: any Dataset
    public let indices: [Int]

    public init(_ base: any Dataset, indices: [Int], name: String? = nil) {
        self.base = base
        self.indices = indices
        self.name = name ?? base.name
    }

    public var count: Int { indices.count }
    public var classNames: [String] { base.classNames }
    public func label(at index: Int) -> Int { base.label(at: indices[index]) }
    public func recordName(at index: Int) -> String { base.recordName(at: indices[index]) }
    public func file(at index: Int) -> RawPath? { base.file(at: indices[index]) }

    public func readImage(
        at index: Int, using decoder: ImageDecoder, into image: RGBImage, reduction: (ImageFacts) -> Int
    ) throws(ImageError) -> ImageFacts {
        try base.readImage(at: indices[index], using: decoder, into: image, reduction: reduction)
    }
}

extension Dataset {
    /// At most `limit` records, spread evenly, so that a sorted data set keeps all of its classes.
    public func limited(to limit: Int?) -> any Dataset {
        guard let limit, limit < count else { return self }
        return SubsetDataset(self, indices: (0..<limit).map { $0 * count / limit })
    }
}
