internal import Support

/// Everything that decides what becomes of a picture file on its way into a batch. The same in this process and in a
/// helper.
struct SampleSettings: Codable, Sendable {
    var preprocessing: Preprocessing
    var augmentation: Augmentation
    var decoding: DecodingOptions
    var seed: UInt64
    var hashesFiles: Bool

    init(
        preprocessing: Preprocessing, augmentation: Augmentation = .none, decoding: DecodingOptions, seed: UInt64 = 0,
        hashesFiles: Bool = false
    ) {
        self.preprocessing = preprocessing
        self.augmentation = augmentation
        self.decoding = decoding
        self.decoding.orientation = preprocessing.orientation
        self.seed = seed
        self.hashesFiles = hashesFiles
    }
}

/// Decodes pictures and writes them in the network's size. One reader serves one thread and keeps its memory.
final class SampleReader {
    typealias Decode =
        (ImageDecoder, RGBImage, _ reduction: (ImageFacts) -> Int) throws(ImageError) -> ImageFacts

    let decoder: ImageDecoder
    private let settings: SampleSettings
    private let writer: SampleWriter
    private let image = RGBImage()

    init(_ settings: SampleSettings) {
        self.settings = settings
        decoder = ImageDecoder(options: settings.decoding)
        decoder.hashesFiles = settings.hashesFiles
        writer = SampleWriter(settings.preprocessing, augmentation: settings.augmentation)
    }

    /// Reads what `decode` decodes as record `record` of epoch `epoch`, which is all that chance depends on.
    func read(
        record: Int, epoch: Int, into colours: UnsafeMutablePointer<UInt8>, decode: Decode
    ) -> SlotOutcome {
        var outcome = SlotOutcome()
        decoder.forget()
        do throws(ImageError) {
            let generator = SeededGenerator(seed: settings.seed, stream: epoch, record)
            let facts = try decode(decoder, image) { writer.reduction(for: $0, generator: generator) }
            writer.write(
                image, fullSize: facts.uprightSize(settings.decoding.orientation), reduction: facts.reduction,
                generator: generator, into: colours)
        } catch {
            outcome.error = error
        }
        outcome.size = decoder.lastSize
        outcome.sha256 = decoder.lastSHA256
        image.trim(above: ImageDecoder.keptBytes)
        writer.trim(above: ImageDecoder.keptBytes)
        return outcome
    }

    /// The same for a file.
    func read(_ path: RawPath, record: Int, epoch: Int, into colours: UnsafeMutablePointer<UInt8>) -> SlotOutcome {
        read(record: record, epoch: epoch, into: colours) { (decoder, image, reduction) throws(ImageError) in
            try decoder.decode(path, into: image, reduction: reduction)
        }
    }
}
