/// The kind of a file, told by its first bytes and never by its name.
public enum ImageFormat: String, Sendable, CaseIterable {
    case jpeg = "JPEG"
    case png = "PNG"
    case webp = "WebP"
    // Recognised, so that the message can name them, but not decoded.
    case gif = "GIF"
    case tiff = "TIFF"
    case bmp = "BMP"
    case heif = "HEIF or AVIF"
    case film = "film (MP4, QuickTime)"
    case jpegXL = "JPEG XL"
    case jpeg2000 = "JPEG 2000"
    case pdf = "PDF"
    case svg = "SVG"
    case pnm = "PNM"
    /// Pixels that lay open in a data set's own file; never told from bytes.
    case raw = "raw"

    public var isDecoded: Bool { self == .jpeg || self == .png || self == .webp }

    /// Bytes that `init(sniffing:)` needs to see at most.
    public static let sniffedBytes = 16

    /// What is decoded, for messages.
    static let decoded = "JPEG, PNG and WebP are read"

    /// Nil when the bytes begin like no kind known here. A JPEG or PNG signature that is cut off by the end of the
    /// file still counts as such.
    public init?(sniffing bytes: UnsafeRawBufferPointer) {
        func starts(_ signature: [UInt8], at offset: Int = 0) -> Bool {
            bytes.count >= offset + signature.count
                && signature.indices.allSatisfy { bytes[offset + $0] == signature[$0] }
        }
        let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        if starts([0xFF, 0xD8, 0xFF]) || (bytes.count == 2 && starts([0xFF, 0xD8])) {
            self = .jpeg
        } else if starts(png) || (2..<8 ~= bytes.count && starts(Array(png.prefix(bytes.count)))) {
            self = .png
        } else if starts(Array("GIF8".utf8)) {
            self = .gif
        } else if starts(Array("RIFF".utf8)) && starts(Array("WEBP".utf8), at: 8) {
            self = .webp
        } else if starts([0x49, 0x49, 0x2A, 0x00]) || starts([0x4D, 0x4D, 0x00, 0x2A]) {
            self = .tiff
        } else if starts(Array("BM".utf8)) && bytes.count >= 14 && bytes[6...9].allSatisfy({ $0 == 0 }) {
            self = .bmp
        } else if starts(Array("ftyp".utf8), at: 4) {
            // ISO 14496-12: the brand that follows tells pictures from films.
            let brands = ["mif1", "mif2", "msf1", "miaf", "heic", "heix", "hevc", "hevx", "avif", "avis"]
            self = brands.contains { starts(Array($0.utf8), at: 8) } ? .heif : .film
        } else if starts([0xFF, 0x0A]) || starts(Array("JXL ".utf8), at: 4) {
            self = .jpegXL
        } else if starts(Array("jP  ".utf8), at: 4) || starts([0xFF, 0x4F, 0xFF, 0x51]) {
            self = .jpeg2000
        } else if starts(Array("%PDF".utf8)) {
            self = .pdf
        } else if starts(Array("<svg".utf8)) {
            self = .svg
        } else if bytes.count >= 3, bytes[0] == UInt8(ascii: "P"), (0x31...0x36).contains(bytes[1]),
            [0x09, 0x0A, 0x0D, 0x20].contains(bytes[2])
        {
            self = .pnm
        } else {
            return nil
        }
    }
}
