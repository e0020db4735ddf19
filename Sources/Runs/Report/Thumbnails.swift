import Foundation
import Images

/// Small pictures for a page: the middle square of each record, as a data URI (RFC 2397).
enum Thumbnails {
    /// Side in pixels; pages show them at half of it on a screen with two pixels to a point.
    static let side = 144

    /// By record; those that give no picture any more are left out. Goes on where the run is asked to stop: they are few, and the
    /// page would be another one.
    static func make(
        of dataset: any Dataset, at records: [Int], reading options: PictureOptions, in context: RunContext
    ) throws -> [Int: String] {
        var preprocessing = options.applied(to: .photographs(pixels: side))
        preprocessing.geometry = .centreCrop(shorterSide: side)
        let loader = BatchLoader(
            dataset: SubsetDataset(dataset, indices: records), preprocessing: preprocessing,
            options: .init(
                batchSize: 8, shuffles: false, threads: context.threads, unreadableLimit: 1,
                decoding: options.decoding, isolation: context.isolation))
        loader.begin(epoch: 0)
        var sources: [Int: String] = [:]
        while let batch = try loader.next() {
            for (row, place) in batch.indices.enumerated() {
                let bytes = JPEGWriter.encode(
                    square: batch.images.colours + row * preprocessing.elementsPerImage, side: side)
                sources[records[place]] = "data:image/jpeg;base64," + Data(bytes).base64EncodedString()
            }
        }
        return sources
    }
}
