import Foundation
import Images
import TestSupport
import Testing

@Suite("Picture files become pixels, or a reason")
struct DecoderTests {
    @Test("Pixels, size and orientation are Pillow's", arguments: ExpectedPictures.fixture.pictures)
    func pixels(expected: ExpectedPictures.Picture) throws {
        let decoder = ImageDecoder()
        let image = RGBImage()
        let facts = try decoder.decode(fixture(expected.file), into: image)
        #expect(facts.format.rawValue.uppercased() == expected.format)
        #expect((facts.width, facts.height) == (expected.width, expected.height))
        #expect((image.width, image.height) == (expected.uprightWidth, expected.uprightHeight))
        #expect(facts.uprightSize(.apply) == (expected.uprightWidth, expected.uprightHeight))
        #expect(digest(image.array) == expected.sha256)
    }

    @Test("With 'ignore' a picture stays as it is stored", arguments: 1...8)
    func ignoredOrientation(value: Int) throws {
        let (stored, turned) = (RGBImage(), RGBImage())
        let path = fixture("drawn/exif\(value).jpg")
        let facts = try ImageDecoder(options: DecodingOptions(orientation: .ignore)).decode(path, into: stored)
        try ImageDecoder().decode(path, into: turned)
        #expect((stored.width, stored.height) == (37, 29))
        #expect(Int(facts.orientation.rawValue) == value)
        #expect((turned.width, turned.height) == (value >= 5 ? (29, 37) : (37, 29)))
        #expect((stored.array == turned.array) == (value == 1))
    }

    @Test("A JPEG can be decoded smaller, rounded up", arguments: [1, 2, 4, 8])
    func reduction(denominator: Int) throws {
        let image = RGBImage()
        let facts = try ImageDecoder().decode(fixture("drawn/exif6.jpg"), into: image) { facts in
            #expect((facts.width, facts.height, facts.orientation) == (37, 29, .quarterTurnRight))
            return denominator
        }
        #expect(facts.reduction == denominator)
        #expect(image.width == (29 + denominator - 1) / denominator)
        #expect(image.height == (37 + denominator - 1) / denominator)
    }

    @Test("The kind of a file is told by its content, not by its name")
    func content() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Fixture.bytes("images/drawn/palette.png"), to: "really.jpg")
        #expect(try ImageDecoder().decode(RawPath(path), into: RGBImage()).format == .png)
    }

    @Test(
        "What cannot be used says why",
        arguments: [
            ("broken/truncated.jpg", ImageError.Kind.unreadable), ("broken/lottapixel.jpg", .tooLarge),
            ("broken/huge_bKGD_chunk.png", .unreadable), ("broken/broken.png", .unreadable),
            ("expected.json", .unsupported), ("no such file.png", .missing), ("drawn", .unsupported),
            ("expected.json/x.png", .missing),
        ])
    func reasons(name: String, kind: ImageError.Kind) throws {
        let error = #expect(throws: ImageError.self) {
            try ImageDecoder().decode(RawPath("\(Fixture.root)/images/\(name)"), into: RGBImage())
        }
        #expect(error?.kind == kind, "\(error?.sentence ?? "no error")")
        #expect(error?.sentence.isEmpty == false)
    }

    @Test(
        "Content that is no JPEG, PNG or WebP is unsupported, by name where the name is known",
        arguments: [
            ("GIF89a----", "GIF"), ("II*\0----", "TIFF"), ("MM\0*----", "TIFF"),
            ("BM\u{1}\u{1}\u{1}\u{1}\0\0\0\06\0\0\0", "BMP"),
            ("P6\n1 1\n", "PNM"), ("\0\0\0\u{18}ftypheic\0\0\0\0", "HEIF"), ("\0\0\0\u{18}ftypisom\0\0\0\0", "film"),
            ("hello, world", "no picture"),
        ])
    func otherKinds(text: String, word: String) {
        let error = failure(Array(text.utf8))
        #expect(error?.kind == .unsupported)
        #expect(error?.sentence.contains(word) == true)
    }

    @Test("An empty file is unreadable")
    func empty() {
        #expect(failure([])?.kind == .unreadable)
    }

    @Test("A truncated picture is decoded as far as it goes when that is asked for")
    func tolerance() throws {
        let decoder = ImageDecoder(options: DecodingOptions(truncation: .tolerate))
        let image = RGBImage()
        try decoder.decode(fixture("broken/truncated.jpg"), into: image)
        #expect((image.width, image.height) == (100, 100))
    }

    /// Where the blocks of the first row end in these files, to the byte, libjpeg's own warnings tell.
    @Test(
        "Of a truncated JPEG at least one row of blocks must be there, and what is there is right",
        arguments: ["420.jpg", "444.jpg", "gray.jpg", "cmyk.jpg", "restarts.jpg"])
    func rowOfBlocks(name: String) throws {
        let file = try Fixture.bytes("images/drawn/\(name)")
        let decoder = ImageDecoder(options: DecodingOptions(truncation: .tolerate))
        let (whole, part) = (RGBImage(), RGBImage())
        try decode(file, with: decoder, into: whole)
        let scan = try #require(file.indices.first { file[$0] == 0xFF && file[$0 + 1] == 0xDA })
        let data = scan + 2 + Int(file[scan + 3])
        // Not a bit of the scan, without an end mark and with it: grey would be no picture.
        for nothing in [file.prefix(data), file.prefix(data) + [0xFF, 0xD9], file.prefix(data + 9)] {
            #expect(failure(Array(nothing), decoder)?.kind == .unreadable)
        }
        let first = try #require((data..<file.count).first { failure(Array(file.prefix($0)), decoder) == nil })
        #expect(first > data + (file.count - data) / 8)
        for length in first..<file.count {
            try decode(Array(file.prefix(length)), with: decoder, into: part)
            #expect(part.array.prefix(part.width * 3) == whole.array.prefix(part.width * 3), "cut to \(length)")
        }
    }

    @Test(
        "A JPEG of one scan that lacks nothing but its end mark is whole; of several only the mark tells",
        arguments: [
            ("drawn/420.jpg", true), ("drawn/gray.jpg", true), ("drawn/cmyk.jpg", true), ("drawn/restarts.jpg", true),
            ("libjpeg-turbo/testimgint.jpg", true), ("drawn/progressive.jpg", false),
        ])
    func missingEndMark(name: String, isWhole: Bool) throws {
        let file = try Fixture.bytes("images/\(name)")
        #expect(file.suffix(2) == [0xFF, 0xD9])
        let (whole, image) = (RGBImage(), RGBImage())
        try decode(file, with: ImageDecoder(), into: whole)
        for truncation in [DecodingOptions.Truncation.reject, .tolerate] {
            let decoder = ImageDecoder(options: DecodingOptions(truncation: truncation))
            for length in [file.count - 1, file.count - 2] {
                let cut = Array(file.prefix(length))
                if !isWhole && truncation == .reject {
                    #expect(failure(cut, decoder)?.kind == .unreadable)
                    continue
                }
                try decode(cut, with: decoder, into: image)
                #expect(image.array == whole.array)
            }
        }
    }

    @Test(
        "Pixels of a PNG that never came are black, those that came are right",
        arguments: ["drawn/alpha.png", "pngsuite/ibasn6a08.png", "pngsuite/ibasn2c08.png", "pngsuite/ibasn4a08.png"])
    func missingPixels(name: String) throws {
        let file = try Fixture.bytes("images/\(name)")
        let decoder = ImageDecoder(options: DecodingOptions(truncation: .tolerate))
        let (whole, part) = (RGBImage(), RGBImage())
        try decode(file, with: decoder, into: whole)
        try decode(Array(file.prefix(file.count * 2 / 3)), with: decoder, into: part)
        #expect((part.width, part.height) == (whole.width, whole.height))
        // The last row comes last, in the last pass too.
        #expect(part.array.suffix(part.width * 3).allSatisfy { $0 == 0 })
        #expect(part.array.prefix(3) == whole.array.prefix(3))
        #expect(zip(part.array, whole.array).allSatisfy { $0 == 0 || $0 == $1 })
        // Nothing of the first row: there is no picture.
        #expect(throws: ImageError.self) { try decode(Array(file.prefix(48)), with: decoder, into: part) }
    }

    @Test("The cap on pixels is looked at before memory is taken, the cap on bytes before the file is read")
    func caps() throws {
        let image = RGBImage()
        var options = DecodingOptions(maximumPixels: 37 * 29)
        try ImageDecoder(options: options).decode(fixture("drawn/444.jpg"), into: image)
        options.maximumPixels -= 1
        for name in ["drawn/444.jpg", "drawn/alpha.png", "drawn/lossy.webp"] {
            let decoder = ImageDecoder(options: options)
            let error = #expect(throws: ImageError.self) { try decoder.decode(fixture(name), into: image) }
            #expect(error?.kind == .tooLarge)
            #expect(error?.sentence.contains("37 x 29") == true)
            #expect(decoder.lastSize?.width == 37)
        }
        options = DecodingOptions(maximumFileBytes: 100)
        let error = #expect(throws: ImageError.self) {
            try ImageDecoder(options: options).decode(fixture("drawn/444.jpg"), into: image)
        }
        #expect(error?.kind == .tooLarge)
    }

    @Test("Links, pipes and folders are never opened for their content")
    func specialFiles() throws {
        let folder = try TemporaryFolder()
        let target = Fixture.path("images/drawn/444.jpg")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/link.jpg", withDestinationPath: target)
        try #require(mkfifo(folder.path + "/pipe.jpg", 0o600) == 0)
        for name in ["link.jpg", "pipe.jpg"] {
            let error = #expect(throws: ImageError.self) {
                try ImageDecoder().decode(RawPath("\(folder.path)/\(name)"), into: RGBImage())
            }
            #expect(error?.kind == .unsupported, "\(name)")
        }
    }

    @Test("A link that takes a folder's place after the listing leads nowhere; one on the way to the folder does")
    func exchangedFolder() throws {
        let folder = try TemporaryFolder()
        let picture = try Fixture.bytes("images/drawn/444.jpg")
        for name in ["real/sub/a.jpg", "real/b.jpg", "secret/a.jpg"] { try folder.write(picture, to: name) }
        let files = FileManager.default
        try files.createSymbolicLink(atPath: folder.path + "/way", withDestinationPath: "real")
        let listing = try ImageListing(folder: folder.path + "/way")
        #expect(listing.paths == [RawPath("b.jpg"), RawPath("sub/a.jpg")])
        try files.removeItem(atPath: folder.path + "/real/sub")
        try files.createSymbolicLink(atPath: folder.path + "/real/sub", withDestinationPath: "../secret")
        let decoder = ImageDecoder()
        decoder.hashesFiles = true
        try decoder.decode(#require(listing.file(at: 0)), into: RGBImage())
        let error = #expect(throws: ImageError.self) {
            try decoder.decode(#require(listing.file(at: 1)), into: RGBImage())
        }
        #expect(error?.kind == .unsupported && decoder.lastSHA256 == nil)
        #expect(try ImageListing(folder: folder.path + "/way").paths == [RawPath("b.jpg"), RawPath("sub")])
    }

    @Test("A JPEG without its tables doesn't borrow those of the picture before")
    func missingTables() throws {
        let whole = try Fixture.bytes("images/drawn/444.jpg")
        let (decoder, expected, image) = (ImageDecoder(), RGBImage(), RGBImage())
        try decode(whole, with: decoder, into: expected)
        // Quantisation: the file can't be read. Huffman: libjpeg-turbo takes the standard's, which are this file's.
        let error = #expect(throws: ImageError.self) {
            try decode(without(0xDB, whole), with: decoder, into: image)
        }
        #expect(error?.kind == .unreadable)
        try decoder.decode(fixture("drawn/progressive.jpg"), into: image)
        try decode(without(0xC4, whole), with: decoder, into: image)
        #expect(image.array == expected.array)
    }

    @Test("The hash is of the file's bytes, also of a file that cannot be decoded")
    func hash() throws {
        let decoder = ImageDecoder()
        decoder.hashesFiles = true
        _ = try? decoder.decode(fixture("broken/truncated.jpg"), into: RGBImage())
        #expect(try decoder.lastSHA256?.description == digest(Fixture.bytes("images/broken/truncated.jpg")))
        _ = try? decoder.decode(RawPath("/no such file"), into: RGBImage())
        #expect(decoder.lastSHA256 == nil)
    }

    @Test(
        "A file cut or damaged anywhere never crashes, and one that is cut before its last pixel is not accepted",
        arguments: [
            "drawn/420.jpg", "drawn/progressive.jpg", "drawn/restarts.jpg", "drawn/cmyk.jpg", "drawn/exif6.jpg",
            "libjpeg-turbo/testimgari.jpg", "pngsuite/ibasn6a08.png", "pngsuite/basn3p04.png", "drawn/alpha.png",
            "drawn/exif6.png", "pngsuite/iftbbn0g04.png", "drawn/lossy.webp", "drawn/lossless.webp",
            "drawn/alpha.webp", "drawn/alpha_lossless.webp", "drawn/animated.webp", "drawn/exif6.webp",
        ])
    func hostile(name: String) throws {
        let whole = try Fixture.bytes("images/\(name)")
        let (strict, tolerant) = (
            ImageDecoder(), ImageDecoder(options: DecodingOptions(truncation: .tolerate))
        )
        let image = RGBImage()
        let step = max(whole.count / 400, 1)
        var hasPicture = false
        for length in stride(from: 0, to: whole.count, by: step) {
            let cut = Array(whole.prefix(length))
            // More of a file never makes less of a picture.
            let isAccepted = failure(cut, tolerant) == nil
            #expect(isAccepted || !hasPicture, "\(name) cut to \(length), tolerated")
            hasPicture = hasPicture || isAccepted
            // What may follow the last pixel: chunks of a PNG, two more frames, an EXIF chunk.
            let tail =
                switch name {
                case let name where name.hasSuffix("png"): 64
                case "drawn/animated.webp": whole.count * 3 / 4
                case "drawn/exif6.webp": 40
                default: 2
                }
            guard length < whole.count - tail else { continue }
            #expect(throws: ImageError.self, "\(name) cut to \(length)") { try decode(cut, with: strict, into: image) }
        }
        #expect(hasPicture)
        let random = noise(whole.count * 2, seed: 3)
        for place in stride(from: 0, to: whole.count, by: step) {
            var damaged = whole
            damaged[place] = random[place]
            damaged[Int(random[place + whole.count]) * whole.count / 256] ^= 0x5A
            _ = try? decode(damaged, with: strict, into: image)
            _ = try? decode(damaged, with: tolerant, into: image)
        }
        // The decoders are none the worse for it.
        try decode(whole, with: strict, into: image)
    }

    @Test("A written PNG reads back")
    func writer() throws {
        let rgb = noise(13 * 7 * 3, seed: 9)
        let folder = try TemporaryFolder()
        try PNGWriter.write(rgb: rgb, width: 13, height: 7, to: folder.path + "/a.png")
        let image = RGBImage()
        let facts = try ImageDecoder().decode(RawPath(folder.path + "/a.png"), into: image)
        #expect((facts.format, image.width, image.height) == (.png, 13, 7))
        #expect(image.array == rgb)
    }

    @Test(
        "An EXIF block is read in both byte orders, and nonsense means upright",
        arguments: [
            (
                [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0],
                EXIFOrientation.quarterTurnRight
            ),
            ([0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 8, 0, 0], .quarterTurnLeft),
            ([0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 9, 0, 0, 0], .upright),
            ([0x49, 0x49, 42, 0, 0xFF, 0xFF, 0xFF, 0xFF], .upright),
            ([0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 3, 0, 8, 0, 0], .upright),
            ([0x49, 0x49, 42, 0, 8, 0, 0, 0, 0xFF, 0xFF, 0x12, 1], .upright), ([], .upright),
        ] as [([UInt8], EXIFOrientation)])
    func exif(bytes: [UInt8], expected: EXIFOrientation) {
        #expect(bytes.withUnsafeBytes { EXIFOrientation(exif: $0) } == expected)
    }

    // MARK: -

    private func fixture(_ name: String) -> RawPath { RawPath(Fixture.path("images/\(name)")) }

    @discardableResult
    private func decode(_ bytes: [UInt8], with decoder: ImageDecoder, into image: RGBImage) throws -> ImageFacts {
        // An exact copy on the heap, so that a sanitizer sees a read past the end.
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyBytes(from: bytes)
        return try decoder.decode(bytes: UnsafeRawBufferPointer(copy), into: image)
    }

    /// The JPEG without its segments of this kind.
    private func without(_ marker: UInt8, _ jpeg: [UInt8]) -> [UInt8] {
        var kept = Array(jpeg[..<2])
        var place = 2
        while jpeg[place + 1] != 0xDA {
            let end = place + 2 + Int(jpeg[place + 2]) << 8 + Int(jpeg[place + 3])
            if jpeg[place + 1] != marker { kept += jpeg[place..<end] }
            place = end
        }
        return kept + jpeg[place...]
    }

    private func failure(_ bytes: [UInt8], _ decoder: ImageDecoder = ImageDecoder()) -> ImageError? {
        do {
            try decode(bytes, with: decoder, into: RGBImage())
            return nil
        } catch {
            return error as? ImageError
        }
    }
}
