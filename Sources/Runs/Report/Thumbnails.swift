import Foundation
import Images

/// Small pictures for a page: the middle square of each file, as a data URI (RFC 2397).
enum Thumbnails {
    /// Side in pixels; pages show them at half of it on a screen with two pixels to a point.
    static let side = 144

    /// By path; files that give no picture any more are left out. Stops where the run is asked to.
    static func make(
        of listing: ImageListing, reading options: PictureOptions, in context: RunContext
    ) throws -> [RawPath: String] {
        let preprocessing = options.applied(to: .photographs(pixels: side))
        let stream = ClassificationStream(
            listing: listing, preprocessing: preprocessing, batchSize: 8, threads: context.threads,
            decoding: options.decoding, isolation: context.isolation)
        var sources: [RawPath: String] = [:]
        while !context.stop.isRaised, let batch = try stream.next() {
            for file in batch.files {
                guard let row = file.row else { continue }
                let bytes = JPEGWriter.encode(
                    square: batch.images.colours + row * preprocessing.elementsPerImage, side: side)
                sources[file.path] = "data:image/jpeg;base64," + Data(bytes).base64EncodedString()
            }
        }
        return sources
    }
}
