internal import CPNG
internal import Glibc
public import Support

/// Writes pictures as 8-bit RGB PNG files.
public enum PNGWriter {
    /// Encodes `width * height * 3` bytes of packed RGB rows.
    public static func encode(rgb: [UInt8], width: Int, height: Int) -> [UInt8] {
        precondition(width > 0 && height > 0, "a PNG cannot be \(width) x \(height)")
        precondition(rgb.count == width * height * 3, "\(rgb.count) bytes cannot be \(width) x \(height) RGB pixels")
        var bytes: UnsafeMutablePointer<UInt8>?
        var size = 0
        var message = [CChar](repeating: 0, count: 256)
        let status = shfn_png_write(rgb, UInt32(width), UInt32(height), &bytes, &size, &message, message.count)
        guard status == SHFN_PNG_OK, let bytes else {
            let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            // Sizes are right and the sink is memory: only an exhausted memory is left.
            preconditionFailure("libpng could not encode \(width) x \(height) pixels: \(text)")
        }
        defer { free(bytes) }
        return Array(UnsafeBufferPointer(start: bytes, count: size))
    }

    /// Writes a file that appears whole or not at all.
    public static func write(rgb: [UInt8], width: Int, height: Int, to path: String) throws(SystemError) {
        try AtomicFile.write(encode(rgb: rgb, width: width, height: height), to: path)
    }
}
