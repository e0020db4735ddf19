internal import Glibc

/// Every file below a folder, for classification: one row of the result for each.
///
/// Hidden names are left out; whatever else is no folder is listed, whether it looks like a picture or not, links and
/// pipes too (they are never opened and get their own status). In the place of CIFAR-10's binary files at the top stand their
/// records. Sorted by the bytes of the relative path.
public struct ImageListing: Sendable {
    /// Without links on the way.
    public let folder: RawPath
    /// Paths relative to `folder`.
    public let paths: [RawPath]
    private let records: PackedRecords

    /// - Parameter excluded: relative paths that are no input, for instance `job.yaml`.
    /// - Throws: `DatasetError` when the folder, or one in it, cannot be listed.
    public init(folder: String, excluding excluded: Set<String> = []) throws(DatasetError) {
        let root = RawPath(folder)
        let excluded = Set(excluded.map { RawPath($0) })
        var found: [RawPath] = []
        var failure: DatasetError?
        FolderListing.walk(root) { path, _ in
            if !excluded.contains(path) { found.append(path) }
        } unreadable: { path, error in
            let place = path.bytes.isEmpty ? root : root.appending(path)
            let sentence =
                error.code == ENOTDIR && path.bytes.isEmpty
                ? "'\(place)' is a file, wanted a folder of pictures"
                : "could not list image folder '\(place)': \(error.text)"
            failure = failure ?? DatasetError(sentence)
        }
        if let failure { throw failure }
        self.folder = root.resolved
        records = PackedRecords(folder: self.folder, among: found)
        paths = records.unpacked(found).sorted()
    }

    private init(_ listing: ImageListing, paths: [RawPath]) {
        folder = listing.folder
        records = listing.records
        self.paths = paths
    }

    /// A part of the same.
    public func part(_ range: Range<Int>) -> ImageListing {
        ImageListing(self, paths: Array(paths[range]))
    }

    /// The same without the file at `path`, should it lie among them.
    public func leavingOut(_ path: RawPath) -> ImageListing {
        let place = path.folder.resolved.appending(path.lastPart)
        return ImageListing(self, paths: paths.filter { folder.appending($0) != place })
    }

    public var count: Int { paths.count }
}

/// Pictures that nobody has labelled: all of one class without a name.
extension ImageListing: Dataset {
    public var name: String { folder.description }
    public var classNames: [String] { [""] }
    public func label(at index: Int) -> Int { 0 }
    public func recordName(at index: Int) -> String { paths[index].description }

    public func file(at index: Int) -> RawPath? {
        records.contains(paths[index]) ? nil : folder.appending(paths[index])
    }

    public func readImage(
        at index: Int, using decoder: ImageDecoder, into image: RGBImage, reduction: (ImageFacts) -> Int
    ) throws(ImageError) -> ImageFacts {
        if let path = file(at: index) { return try decoder.decode(path, into: image, reduction: reduction) }
        return try records.readImage(paths[index], using: decoder, into: image)
    }
}
