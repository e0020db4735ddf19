/// The records of CIFAR-10's binary files that lie in a folder, as pictures with names: the file's and the record's number.
struct PackedRecords: Sendable {
    private let files: Set<RawPath>
    private let parts: [CIFAR10Dataset]
    private let places: [RawPath: (part: Int, index: Int)]

    /// Files that have the names but not the content are left to be what they are.
    init(folder: String, among files: [RawPath]) {
        let files = Set(files)
        parts = [CIFAR10Dataset.Part.training, .test].compactMap { part in
            guard let dataset = try? CIFAR10Dataset(folder: folder, part: part) else { return nil }
            return files.isSuperset(of: dataset.fileNames.map { RawPath($0) }) ? dataset : nil
        }
        self.files = Set(parts.flatMap(\.fileNames).map { RawPath($0) })
        var places: [RawPath: (part: Int, index: Int)] = [:]
        for (part, dataset) in parts.enumerated() {
            for index in 0..<dataset.count { places[RawPath(dataset.recordName(at: index))] = (part, index) }
        }
        self.places = places
    }

    /// The same files, with the records' names in the place of those that hold records.
    func unpacked(_ files: [RawPath]) -> [RawPath] {
        files.filter { !self.files.contains($0) } + places.keys
    }

    func contains(_ name: RawPath) -> Bool { places[name] != nil }

    /// What `Dataset.readImage` says, for a name that is there.
    func readImage(
        _ name: RawPath, using decoder: ImageDecoder, into image: RGBImage, reduction: (ImageFacts) -> Int
    ) throws(ImageError) -> ImageFacts {
        guard let place = places[name] else { preconditionFailure("'\(name)' is no record of these files") }
        return try parts[place.part].readImage(at: place.index, using: decoder, into: image, reduction: reduction)
    }
}
