internal import Support

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

/// Divides records by a hash of their names: a record stays on its side when others come or go, in every run, on every
/// machine.
public enum HashSplit {
    /// Whether the record of this name belongs to the `share` (0...1) that is held back for validation.
    public static func isHeldBack(_ recordName: String, share: Double) -> Bool {
        // FNV-1a spreads short names badly over the upper bits; SplitMix64 finishes it.
        var generator = SeededGenerator(seed: FNV1a.hash(recordName))
        return Double(generator.next() >> 11) * 0x1p-53 < share
    }

    /// The records kept for training and those held back, of which there may be none. A class that would have none left to
    /// train on keeps its first.
    public static func divide(
        _ dataset: any Dataset, share: Double
    ) -> (training: SubsetDataset, validation: SubsetDataset) {
        var kept: [Int] = []
        var held: [Int] = []
        for index in 0..<dataset.count {
            if isHeldBack(dataset.recordName(at: index), share: share) {
                held.append(index)
            } else {
                kept.append(index)
            }
        }
        var trained = Set(kept.map { dataset.label(at: $0) })
        let needed = held.filter { trained.insert(dataset.label(at: $0)).inserted }
        if !needed.isEmpty {
            kept = (kept + needed).sorted()
            held.removeAll(where: Set(needed).contains)
        }
        return (SubsetDataset(dataset, indices: kept), SubsetDataset(dataset, indices: held))
    }
}
