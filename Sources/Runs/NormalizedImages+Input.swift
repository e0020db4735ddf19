public import Images
public import ShuffleNet

extension NormalizedImages: InputImages {
    public func planes(
        of image: Int, rows: Range<Int>, scratch: UnsafeMutablePointer<Float>
    ) -> UnsafePointer<Float> {
        write(rows: rows, of: image, into: scratch)
        return UnsafePointer(scratch)
    }
}
