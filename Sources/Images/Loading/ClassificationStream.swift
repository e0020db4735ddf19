internal import Support

/// What became of one file.
public struct FileOutcome: Sendable {
    /// Its place in the listing.
    public let index: Int
    /// Relative to the listing's folder.
    public let path: RawPath
    /// The picture's place in the batch's images, nil when it could not be used.
    public let row: Int?
    /// Why it could not be used.
    public let error: ImageError?
    /// Size in the file's header, before orientation; nil when it could not be read.
    public let width: Int?
    public let height: Int?
    /// Of the file's bytes; nil when they could not be read.
    public let sha256: SHA256Digest?
}

/// A batch of files. Its memory belongs to the stream and is overwritten by the next call of `next()`.
public final class FileBatch {
    /// The usable pictures, in the order of their files.
    public fileprivate(set) var images: NormalizedImages
    public fileprivate(set) var count = 0
    /// One for each file, in the listing's order, whatever became of it.
    public fileprivate(set) var files: [FileOutcome] = []

    fileprivate init(images: NormalizedImages) {
        self.images = images
    }
}

/// Feeds the files of a listing to the network, decoded ahead by threads of its own, in the listing's order and with
/// an outcome for every file. A bad file never stops the stream, and its place is never filled by another's pixels.
public final class ClassificationStream {
    /// Batches in memory: one in use, the others being filled.
    public static let ringBatches = 4

    public let listing: ImageListing
    private let preprocessing: Preprocessing
    private let ring: PrefetchRing
    private let batch: FileBatch

    /// - Parameters:
    ///   - isolation: where the files are decoded; nil: in this process.
    ///   - firstFile: enters the listing there, to resume a run.
    public init(
        listing: ImageListing, preprocessing: Preprocessing, batchSize: Int = 32, threads: Int = 2,
        ringBatches: Int = ClassificationStream.ringBatches, decoding: DecodingOptions = DecodingOptions(),
        isolation: DecodeIsolation? = nil, firstFile: Int = 0
    ) {
        precondition(batchSize > 0, "a batch of \(batchSize) files")
        precondition((0...listing.count).contains(firstFile), "file \(firstFile) of \(listing.count)")
        self.listing = listing
        self.preprocessing = preprocessing
        let settings = SampleSettings(preprocessing: preprocessing, decoding: decoding, hashesFiles: true)
        let files = listing.count - firstFile
        let size = min(batchSize, max(files, 1))
        ring = PrefetchRing(
            listing, settings, threads: threads, batchSize: size, ringBatches: ringBatches, isolation: isolation)
        batch = FileBatch(images: NormalizedImages(ring.memory.bytes, preprocessing))
        ring.begin(epoch: 0, firstBatch: 0, batchCount: (files + size - 1) / size) { order in
            order = (firstFile..<listing.count).map { Int32($0) }
        }
    }

    deinit {
        ring.stop()
    }

    /// The next files, nil after the last. Blocks. The batch is overwritten by the next call.
    public func next() throws(DecodersUnavailable) -> FileBatch? {
        guard let slots = ring.next() else { return nil }
        try slots.check()
        batch.count = slots.compact(elements: preprocessing.elementsPerImage)
        batch.images = NormalizedImages(slots.colours, preprocessing)
        batch.files.removeAll(keepingCapacity: true)
        var row = 0
        for slot in 0..<slots.count {
            let outcome = slots.outcomes[slot]
            let index = ring.record(slot, of: slots)
            batch.files.append(
                FileOutcome(
                    index: index, path: listing.paths[index], row: outcome.error == nil ? row : nil,
                    error: outcome.error, width: outcome.size?.width, height: outcome.size?.height,
                    sha256: outcome.sha256))
            if outcome.error == nil { row += 1 }
        }
        return batch
    }
}
