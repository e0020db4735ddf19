internal import CJPEG
internal import Glibc

/// Encodes pictures as baseline JPEG.
public enum JPEGWriter {
    /// - Parameters:
    ///   - rgb: `[side][side][3]`.
    ///   - side: in pixels, 1 to 65,500, which is libjpeg's limit.
    ///   - quality: libjpeg's, 1 to 100.
    public static func encode(square rgb: UnsafePointer<UInt8>, side: Int, quality: Int = 80) -> [UInt8] {
        precondition((1...65_500).contains(side) && (1...100).contains(quality), "side \(side), quality \(quality)")
        var bytes: UnsafeMutablePointer<UInt8>?
        var size = 0
        let status = shfn_jpeg_write(rgb, UInt32(side), UInt32(side), Int32(quality), &bytes, &size)
        // The size is right and the sink is memory: only an exhausted memory is left.
        guard status == SHFN_JPEG_OK, let bytes else { preconditionFailure("no memory for a JPEG of \(side) pixels") }
        defer { free(bytes) }
        return Array(UnsafeBufferPointer(start: bytes, count: size))
    }
}
