/// A batch of the network's input, read a few rows of an image at a time, so that its values may be computed on the way.
public protocol InputImages {
    /// The planes `[3][pixels][pixels]` of an image, of which rows `rows` are needed now: either where they lie, or in
    /// `scratch`, which has room for all of them and to which at least those rows are written.
    func planes(
        of image: Int, rows: Range<Int>, scratch: UnsafeMutablePointer<Float>
    ) -> UnsafePointer<Float>
}

/// Images whose values lie in memory.
public struct PlanarImages: InputImages {
    private let values: UnsafePointer<Float>
    private let stride: Int

    /// - Parameter values: `[count][3][pixels][pixels]`, contiguous float32.
    public init(_ values: UnsafePointer<Float>, pixels: Int) {
        self.values = values
        stride = 3 * pixels * pixels
    }

    public func planes(
        of image: Int, rows: Range<Int>, scratch: UnsafeMutablePointer<Float>
    ) -> UnsafePointer<Float> {
        values + image * stride
    }
}
