extension PrefetchRing {
    /// A ring that is filled with the records of a data set: files are decoded in helpers where there are any, open pixels
    /// in this process.
    convenience init(
        _ dataset: any Dataset, _ settings: SampleSettings, threads: Int, batchSize: Int, ringBatches: Int,
        isolation: DecodeIsolation?
    ) {
        self.init(
            threads: threads, batchSize: batchSize, ringBatches: ringBatches,
            elements: settings.preprocessing.elementsPerImage
        ) { memory in
            let reader = SampleReader(settings)
            let helper = isolation.map { DecodeHelper($0, settings, memory) }
            return { record, epoch, colours in
                if let helper, let path = dataset.file(at: record) {
                    return helper.read(path, record: record, epoch: epoch, into: colours)
                }
                return reader.read(record: record, epoch: epoch, into: colours) {
                    (decoder, image, reduction) throws(ImageError) in
                    try dataset.readImage(at: record, using: decoder, into: image, reduction: reduction)
                }
            }
        }
    }
}
