internal import Support

/// A batch of the network's input. Its memory belongs to the loader and is overwritten by the next call of `next()`.
public final class Batch {
    /// Position in the epoch, from 0.
    public fileprivate(set) var number = 0
    public fileprivate(set) var images: NormalizedImages
    /// Images in this batch: less than asked for at an epoch's end, or when some could not be used.
    public fileprivate(set) var count = 0
    public fileprivate(set) var labels: [Int32] = []
    /// The records' numbers in the data set.
    public fileprivate(set) var indices: [Int] = []
    /// Pictures met in this batch for the first time that could not be used; for the log.
    public fileprivate(set) var unreadable: [UnreadableImage] = []

    fileprivate init(images: NormalizedImages) {
        self.images = images
    }
}

/// Feeds a data set to the network in batches, decoded and augmented ahead by threads of its own.
///
/// The batches of an epoch depend on the seed and the epoch's number only: not on the number of threads, nor on where
/// the epoch was entered. One thread at a time may use a loader; `next()` blocks.
public final class BatchLoader {
    public struct Options: Sendable {
        public var batchSize: Int
        public var seed: UInt64
        /// Whether each epoch has an order of its own; else records come in the data set's order.
        public var shuffles: Bool
        /// Leaves out an epoch's last batch when it is not full.
        public var dropsRemainder: Bool
        public var threads: Int
        /// Batches in memory: one in use, the others being filled. At least two.
        public var ringBatches: Int
        /// The share of the data set, 0...1, that may be unreadable before `next()` throws.
        public var unreadableLimit: Double
        /// The records that this is a share of, where the data set is a part of a larger one; nil: its own.
        public var wholeCount: Int?
        /// The orientation policy is the preprocessing's, not this one's.
        public var decoding: DecodingOptions
        /// Where picture files are decoded; nil: in this process.
        public var isolation: DecodeIsolation?

        public init(
            batchSize: Int, seed: UInt64 = 1, shuffles: Bool = true, dropsRemainder: Bool = false, threads: Int = 2,
            ringBatches: Int = BatchLoader.ringBatches, unreadableLimit: Double = BatchLoader.usualUnreadableLimit,
            wholeCount: Int? = nil,
            decoding: DecodingOptions = DecodingOptions(), isolation: DecodeIsolation? = nil
        ) {
            self.batchSize = batchSize
            self.seed = seed
            self.shuffles = shuffles
            self.dropsRemainder = dropsRemainder
            self.threads = threads
            self.ringBatches = ringBatches
            self.unreadableLimit = unreadableLimit
            self.wholeCount = wholeCount
            self.decoding = decoding
            self.isolation = isolation
        }
    }

    /// `Options.ringBatches` if nobody says otherwise.
    public static let ringBatches = 3
    /// `Options.unreadableLimit` if nobody says otherwise.
    public static let usualUnreadableLimit = 0.01

    public let dataset: any Dataset
    public let preprocessing: Preprocessing
    public let options: Options
    public let batchesPerEpoch: Int
    /// Everything met so far that could not be used.
    public private(set) var unreadable = UnreadableImages()
    private let ring: PrefetchRing
    private let batch: Batch

    public init(
        dataset: any Dataset, preprocessing: Preprocessing, augmentation: Augmentation = .none, options: Options
    ) {
        precondition(options.batchSize > 0, "a batch of \(options.batchSize) images")
        self.dataset = dataset
        self.preprocessing = preprocessing
        self.options = options
        let size = options.batchSize
        batchesPerEpoch = (dataset.count + (options.dropsRemainder ? 0 : size - 1)) / size

        let settings = SampleSettings(
            preprocessing: preprocessing, augmentation: augmentation, decoding: options.decoding, seed: options.seed)
        ring = PrefetchRing(
            dataset, settings, threads: options.threads, batchSize: min(size, max(dataset.count, 1)),
            ringBatches: options.ringBatches, isolation: options.isolation)
        batch = Batch(images: NormalizedImages(ring.memory.bytes, preprocessing))
    }

    deinit {
        ring.stop()
    }

    /// Enters an epoch at one of its batches; without it `next()` has nothing to give. What was prefetched of another
    /// epoch is dropped.
    public func begin(epoch: Int, batch: Int = 0) {
        precondition(batch >= 0 && batch <= batchesPerEpoch, "batch \(batch) of an epoch of \(batchesPerEpoch)")
        ring.begin(epoch: epoch, firstBatch: batch, batchCount: batchesPerEpoch) { order in
            EpochOrder.fill(
                &order, count: dataset.count, shuffled: options.shuffles, seed: options.seed, epoch: epoch)
        }
    }

    /// Takes over what an interrupted run had met, so that its limit is reached at the same batch.
    public func remember(_ images: [UnreadableImage]) {
        for image in images { _ = unreadable.insert(image) }
    }

    /// The next batch of the epoch, nil at its end. The batch is overwritten by the next call.
    ///
    /// Pictures that cannot be used are left out of their batch; a batch of nothing else is left out itself.
    ///
    /// - Throws: `TooManyUnreadableImages` with the list, past the limit; `DecodersUnavailable`.
    public func next() throws -> Batch? {
        batch.unreadable.removeAll(keepingCapacity: true)
        while let slots = ring.next() {
            try slots.check()
            let filled = slots.compact(elements: preprocessing.elementsPerImage)
            batch.number = slots.number
            batch.count = filled
            batch.images = NormalizedImages(slots.colours, preprocessing)
            batch.labels.removeAll(keepingCapacity: true)
            batch.indices.removeAll(keepingCapacity: true)
            for slot in 0..<slots.count {
                let record = ring.record(slot, of: slots)
                if let error = slots.outcomes[slot].error {
                    try note(record, error)
                } else {
                    batch.labels.append(Int32(dataset.label(at: record)))
                    batch.indices.append(record)
                }
            }
            if filled > 0 { return batch }
        }
        return nil
    }

    private func note(_ record: Int, _ error: ImageError) throws(TooManyUnreadableImages) {
        let image = UnreadableImage(index: record, name: dataset.recordName(at: record), error: error.sentence)
        if unreadable.insert(image) { batch.unreadable.append(image) }
        let whole = options.wholeCount ?? dataset.count
        if Double(unreadable.count) > options.unreadableLimit * Double(whole) {
            throw TooManyUnreadableImages(
                dataset: dataset.name, records: whole, limit: options.unreadableLimit,
                images: unreadable.all)
        }
    }
}
