internal import Glibc

/// A picture as packed rows of 8-bit red, green, blue, in memory that is kept from picture to picture.
///
/// Not for two threads at once. After the last row lie at least `tail` bytes that may be read (not meant), so that
/// kernels can load whole vectors.
public final class RGBImage {
    public static let tail = 64

    public private(set) var width = 0
    public private(set) var height = 0
    public private(set) var pixels: UnsafeMutablePointer<UInt8>
    private var capacity: Int

    /// Bytes in a row.
    public var stride: Int { width * 3 }

    public init() {
        capacity = 0
        pixels = Self.allocate(Self.tail)!
        memset(pixels, 0, Self.tail)
    }

    /// A picture of these pixels, `width * height * 3` values row by row.
    public convenience init(width: Int, height: Int, rgb: [UInt8]) {
        precondition(rgb.count == width * height * 3, "\(rgb.count) bytes cannot be \(width) x \(height) RGB pixels")
        self.init()
        precondition(reshape(width: width, height: height), "no memory for \(width) x \(height) pixels")
        rgb.withUnsafeBufferPointer { pixels.update(from: $0.baseAddress!, count: rgb.count) }
    }

    deinit {
        free(pixels)
    }

    /// Makes room for a picture of this size; what was there is lost, what is there now is arbitrary.
    ///
    /// - Returns: false when the system has no memory for it; the picture is then empty.
    public func reshape(width: Int, height: Int) -> Bool {
        precondition(width >= 0 && height >= 0, "a picture cannot be \(width) x \(height)")
        let wanted = width * height * 3
        if wanted > capacity {
            release()
            guard let larger = Self.allocate(wanted + Self.tail) else { return false }
            free(pixels)
            pixels = larger
            capacity = wanted
        }
        memset(pixels + wanted, 0, Self.tail)
        self.width = width
        self.height = height
        return true
    }

    /// Gives memory above `bytes` back and empties the picture if it had more; one giant picture must not weigh on a
    /// thread for the rest of a run.
    public func trim(above bytes: Int) {
        if capacity > bytes { release() }
    }

    public var array: [UInt8] { Array(UnsafeBufferPointer(start: pixels, count: width * height * 3)) }

    private func release() {
        free(pixels)
        pixels = Self.allocate(Self.tail)!
        memset(pixels, 0, Self.tail)
        capacity = 0
        width = 0
        height = 0
    }

    private static func allocate(_ bytes: Int) -> UnsafeMutablePointer<UInt8>? {
        // Not zeroed on purpose: pages of a large picture are touched once, by the decoder.
        aligned_alloc(64, (bytes + 63) / 64 * 64)?.bindMemory(to: UInt8.self, capacity: bytes)
    }
}
