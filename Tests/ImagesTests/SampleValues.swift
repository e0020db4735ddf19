import Support

@testable import Images

extension NormalizedImages {
    /// The planes of one image.
    func values(of image: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: 3 * pixels * pixels) { planes, count in
            write(rows: 0..<pixels, of: image, into: planes.baseAddress!)
            count = planes.count
        }
    }
}

extension SampleWriter {
    /// What the network gets of a picture.
    func values(
        of image: RGBImage, fullSize: (width: Int, height: Int), reduction: Int = 1,
        generator: SeededGenerator = SeededGenerator(seed: 0)
    ) -> [Float] {
        var colours = [UInt8](repeating: 0, count: preprocessing.elementsPerImage)
        write(image, fullSize: fullSize, reduction: reduction, generator: generator, into: &colours)
        return colours.withUnsafeBufferPointer {
            NormalizedImages($0.baseAddress!, preprocessing).values(of: 0)
        }
    }
}
