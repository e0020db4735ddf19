internal import CJPEG
internal import CPNG
internal import CWebP
internal import Crypto

/// What is known of a picture beside its pixels.
public struct ImageFacts: Sendable, Hashable {
    public var format: ImageFormat
    /// Size as the file's header has it, before orientation and whatever reduction was decoded.
    public var width: Int
    public var height: Int
    public var orientation: EXIFOrientation
    /// The decoded picture is this many times smaller on each side (1, 2, 4 or 8).
    public var reduction: Int

    /// Size of the full picture after its orientation was applied.
    public func uprightSize(_ policy: DecodingOptions.Orientation) -> (width: Int, height: Int) {
        policy == .apply && orientation.swapsSides ? (height, width) : (width, height)
    }
}

/// Decodes JPEG, PNG and WebP files, told by content, into 8-bit RGB. One decoder serves one thread and keeps its memory.
///
/// JPEG: baseline, extended, progressive and arithmetic, 8 bits; grey, YCbCr, RGB, CMYK and YCCK (the last two by
/// Adobe's inverted convention). PNG: all colour types and depths, interlaced or not; of 16 bits the upper eight, gamma
/// and profiles ignored, transparency composited on white. WebP: lossy and lossless, transparency likewise, of an
/// animation the first frame. Pixels equal libjpeg-turbo's, libpng's and libwebp's own.
public final class ImageDecoder {
    public var options: DecodingOptions
    private let file = FileBytes()
    private let jpeg: OpaquePointer
    private let stored = RGBImage()
    /// Size in the header of the picture looked at last, also when decoding it failed; nil when it had none.
    public private(set) var lastSize: (width: Int, height: Int)?
    /// Whether `decode(_:)` leaves the file's hash in `lastSHA256`.
    public var hashesFiles = false
    /// SHA-256 of the bytes of the picture looked at last, also when decoding failed; nil when they could not be read.
    public private(set) var lastSHA256: SHA256Digest?

    /// Told how many bytes a picture's pixels will take, once the header was accepted and before they are decoded.
    var beforePixels: (Int) -> Void = { _ in }

    /// Memory above this is given back after each picture.
    static let keptBytes = 48 << 20

    public init(options: DecodingOptions = DecodingOptions()) {
        self.options = options
        guard let jpeg = shfn_jpeg_create() else { preconditionFailure("no memory for a JPEG decoder") }
        self.jpeg = jpeg
    }

    deinit {
        shfn_jpeg_destroy(jpeg)
    }

    /// Decodes a file.
    ///
    /// - Parameters:
    ///   - image: receives the pixels; its content is arbitrary when this throws.
    ///   - reduction: asked, once the header is known, how much smaller the picture may be decoded: 1, 2, 4 or 8.
    ///     Only JPEG can be (its transform is cheaper at a smaller size); PNG is always decoded whole.
    /// - Throws: `ImageError`; the decoder can be used on.
    @discardableResult
    public func decode(
        _ path: RawPath, into image: RGBImage, reduction: (ImageFacts) -> Int = { _ in 1 }
    ) throws(ImageError) -> ImageFacts {
        forget()
        defer { file.trim(above: Self.keptBytes) }
        try file.read(path, limit: options.maximumFileBytes)
        if hashesFiles { lastSHA256 = SHA256Digest(of: file.bytes) }
        return try decode(bytes: file.bytes, into: image, reduction: reduction)
    }

    /// Decodes a file that is in memory.
    @discardableResult
    public func decode(
        bytes: UnsafeRawBufferPointer, into image: RGBImage, reduction: (ImageFacts) -> Int = { _ in 1 }
    ) throws(ImageError) -> ImageFacts {
        lastSize = nil
        defer { stored.trim(above: Self.keptBytes) }
        if bytes.isEmpty { throw ImageError(.unreadable, "the file is empty") }
        switch ImageFormat(sniffing: bytes) {
        case .jpeg: return try decodeJPEG(bytes, into: image, reduction: reduction)
        case .png: return try decodePNG(bytes, into: image)
        case .webp: return try decodeWebP(bytes, into: image)
        case .some(let other):
            throw ImageError(.unsupported, "the file holds \(other.rawValue) data; \(ImageFormat.decoded)")
        case nil:
            throw ImageError(.unsupported, "the file is no picture that is known here; \(ImageFormat.decoded)")
        }
    }

    /// Leaves in `lastSize` and `lastSHA256` what a picture of open pixels has for them, which needs no decoding: `bytes` are
    /// all that is stored of it.
    func take(open bytes: some Sequence<UInt8>, width: Int, height: Int) {
        lastSize = (width, height)
        lastSHA256 = hashesFiles ? Array(bytes).withUnsafeBytes { SHA256Digest(of: $0) } : nil
    }

    /// Forgets the picture looked at last.
    func forget() {
        lastSHA256 = nil
        lastSize = nil
    }

    private func decodeJPEG(
        _ bytes: UnsafeRawBufferPointer, into image: RGBImage, reduction: (ImageFacts) -> Int
    ) throws(ImageError) -> ImageFacts {
        var header = shfn_jpeg_header()
        let start = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
        let status = shfn_jpeg_read_header(jpeg, start, bytes.count, &header)
        try accept(width: header.width, height: header.height)
        if status != SHFN_JPEG_OK { throw jpegError(status) }

        let exif = UnsafeRawBufferPointer(start: header.exif, count: header.exif_size)
        var facts = ImageFacts(
            format: .jpeg, width: Int(header.width), height: Int(header.height),
            orientation: EXIFOrientation(exif: exif), reduction: 1)
        facts.reduction = reduction(facts)
        precondition([1, 2, 4, 8].contains(facts.reduction), "a JPEG cannot be decoded at 1/\(facts.reduction)")

        var (width, height): (UInt32, UInt32) = (0, 0)
        shfn_jpeg_scaled_size(jpeg, Int32(facts.reduction), &width, &height)
        try decodeUpright(facts, width: Int(width), height: Int(height), into: image) { target throws(ImageError) in
            let tolerate: Int32 = options.truncation == .tolerate ? 1 : 0
            let status = shfn_jpeg_decode(
                jpeg, Int32(facts.reduction), tolerate, target.pixels, target.stride * target.height)
            if status != SHFN_JPEG_OK { throw jpegError(status) }
            return facts.orientation
        }
        return facts
    }

    private func decodePNG(_ bytes: UnsafeRawBufferPointer, into image: RGBImage) throws(ImageError) -> ImageFacts {
        let start = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
        guard let png = shfn_png_create(start, bytes.count) else {
            throw ImageError(.tooLarge, "there is no memory for a PNG decoder")
        }
        defer { shfn_png_destroy(png) }
        var header = shfn_png_header()
        let status = shfn_png_read_header(png, &header)
        try accept(width: header.width, height: header.height)
        if status != SHFN_PNG_OK { throw pngError(png, status) }

        var facts = ImageFacts(
            format: .png, width: Int(header.width), height: Int(header.height), orientation: .upright, reduction: 1)
        try decodeUpright(facts, width: facts.width, height: facts.height, into: image) {
            target throws(ImageError) in
            let tolerate: Int32 = options.truncation == .tolerate ? 1 : 0
            let status = shfn_png_decode(png, tolerate, target.pixels, target.stride * target.height)
            if status != SHFN_PNG_OK { throw pngError(png, status) }
            var size = 0
            let exif = shfn_png_exif(png, &size)
            facts.orientation = EXIFOrientation(exif: UnsafeRawBufferPointer(start: exif, count: size))
            return facts.orientation
        }
        return facts
    }

    private func decodeWebP(_ bytes: UnsafeRawBufferPointer, into image: RGBImage) throws(ImageError) -> ImageFacts {
        let start = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
        let tolerate: Int32 = options.truncation == .tolerate ? 1 : 0
        var header = shfn_webp_header()
        let status = shfn_webp_read_header(start, bytes.count, &header)
        try accept(width: header.width, height: header.height)
        if status != SHFN_WEBP_OK { throw webpError(status) }

        let exif = UnsafeRawBufferPointer(start: header.exif, count: header.exif_size)
        let facts = ImageFacts(
            format: .webp, width: Int(header.width), height: Int(header.height),
            orientation: EXIFOrientation(exif: exif), reduction: 1)
        try decodeUpright(facts, width: facts.width, height: facts.height, into: image) {
            target throws(ImageError) in
            let status = shfn_webp_decode(
                start, bytes.count, tolerate, header.width, header.height, target.pixels,
                target.stride * target.height)
            if status != SHFN_WEBP_OK { throw webpError(status) }
            return facts.orientation
        }
        return facts
    }

    /// Runs `body` on a picture of this size and turns the result as the orientation that it returns says.
    private func decodeUpright(
        _ facts: ImageFacts, width: Int, height: Int, into image: RGBImage,
        body: (RGBImage) throws(ImageError) -> EXIFOrientation
    ) throws(ImageError) {
        // A JPEG's orientation is known before its pixels, a PNG's only after: the common upright case writes straight
        // into the caller's picture in both.
        let mayTurn = options.orientation == .apply && facts.orientation != .upright
        let target = mayTurn ? stored : image
        beforePixels(facts.width * facts.height * 3)
        try reserve(target, width: width, height: height)
        let orientation = try body(target)
        if options.orientation == .ignore || orientation == .upright { return }
        if !mayTurn {
            try reserve(stored, width: width, height: height)
            stored.pixels.update(from: image.pixels, count: image.stride * height)
        }
        let (w, h) = orientation.swapsSides ? (height, width) : (width, height)
        try reserve(image, width: w, height: h)
        orient(orientation, stored.pixels, width: width, height: height, into: image.pixels)
    }

    private func reserve(_ image: RGBImage, width: Int, height: Int) throws(ImageError) {
        if !image.reshape(width: width, height: height) {
            throw ImageError(.tooLarge, "there is no memory for \(width) x \(height) pixels")
        }
    }

    /// Holds a header's size to the cap. Sizes that are not known yet (0) pass: the library's own error follows.
    private func accept(width: UInt32, height: UInt32) throws(ImageError) {
        if width == 0 || height == 0 { return }
        lastSize = (Int(width), Int(height))
        let (pixels, overflows) = Int(width).multipliedReportingOverflow(by: Int(height))
        if overflows || pixels > options.maximumPixels {
            throw ImageError(
                .tooLarge, "the picture has \(width) x \(height) pixels, the limit is \(options.maximumPixels)")
        }
    }

    private func jpegError(_ status: shfn_jpeg_status) -> ImageError {
        let text = String(cString: shfn_jpeg_message(jpeg))
        return switch status {
        case SHFN_JPEG_UNSUPPORTED: ImageError(.unsupported, "this kind of JPEG is not decoded: \(text)")
        case SHFN_JPEG_TOO_LARGE: ImageError(.tooLarge, "the JPEG is too large: \(text)")
        case SHFN_JPEG_NO_MEMORY: ImageError(.tooLarge, "there is no memory to decode the JPEG: \(text)")
        default: ImageError(.unreadable, "the JPEG is damaged or truncated: \(text)")
        }
    }

    private func webpError(_ status: shfn_webp_status) -> ImageError {
        switch status {
        case SHFN_WEBP_UNSUPPORTED: ImageError(.unsupported, "this kind of WebP is not decoded by libwebp")
        case SHFN_WEBP_NO_MEMORY: ImageError(.tooLarge, "there is no memory to decode the WebP")
        default: ImageError(.unreadable, "the WebP is damaged or truncated")
        }
    }

    private func pngError(_ png: OpaquePointer, _ status: shfn_png_status) -> ImageError {
        let text = String(cString: shfn_png_message(png))
        return status == SHFN_PNG_NO_MEMORY
            ? ImageError(.tooLarge, "there is no memory to decode the PNG: \(text)")
            : ImageError(.unreadable, "the PNG is damaged or truncated: \(text)")
    }
}
