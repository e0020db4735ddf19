import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import Images

/// The cases of picture operations from the reference framework.
private struct OperationCases: Decodable {
    struct Case: Decodable {
        let id: String
        let op: String
        let input: String?
        let mean: [Float]?
        let std: [Float]?
    }

    let cases: [Case]
}

@Suite("Pictures are resized as the reference framework and Pillow do it")
struct ResizeTests {
    static let golden = GoldenFolder.all.filter { $0.kind == .preprocess }

    @Test("There are cases of the reference framework")
    func casesExist() {
        #expect(!Self.golden.isEmpty)
    }

    @Test("Every case of the reference framework is met bit for bit", arguments: golden)
    func goldenCases(folder: GoldenFolder) throws {
        let tensors = try folder.tensors()
        let cases = try folder.decodeCase(as: OperationCases.self).cases
        var seen = 0
        for one in cases {
            let output = try #require(tensors["\(one.id).output"])
            let input = try #require(tensors[one.input ?? "\(one.id).input"])
            let (height, width) = (input.shape[0], input.shape[1])
            let image = RGBImage(width: width, height: height, rgb: input.bytes)
            switch one.op {
            case "Resize":
                #expect(bilinear(image, output.shape[1], output.shape[0]) == output.bytes, "\(one.id)")
            case let op where op.hasPrefix("Rescale"):
                let mean = try #require(one.mean)
                let std = try #require(one.std)
                var planes = [Float](repeating: 0, count: 3 * width * height)
                for y in 0..<height {
                    planes.withUnsafeMutableBufferPointer {
                        Normalization(mean: mean, std: std).normalizeRow(
                            image.pixels + y * image.stride, width: width, into: $0.baseAddress! + y * width,
                            plane: width * height)
                    }
                }
                #expect(try planes.map(\.bitPattern) == output.floats().map(\.bitPattern), "\(one.id)")
            case let op where op.hasPrefix("Pad 4"):
                expectCrops(of: image, from: output.bytes, border: 4)
            case let op where op.hasPrefix("CenterCrop"):
                let plan = SamplePlan(width: width, height: height, Preprocessing.photographs(pixels: output.shape[0]))
                #expect(plan.outWidth == width && plan.outHeight == height, "the case is a crop only")
                #expect(
                    bilinear(image, width, height, left: plan.left, top: plan.top, side: output.shape[0])
                        == output.bytes, "\(one.id)")
            default:
                Issue.record("\(folder)/\(one.id): operation '\(one.op)' is not known to the test")
            }
            seen += 1
        }
        #expect(seen == cases.count && seen > 0)
    }

    @Test("The longer side is rounded down as the reference framework does", arguments: [(101, 67, 337, 224)])
    func longerSide(height: Int, width: Int, outHeight: Int, outWidth: Int) throws {
        var preprocessing = Preprocessing.photographs(pixels: 224)
        preprocessing.geometry = .centreCrop(shorterSide: 224)
        let plan = SamplePlan(width: width, height: height, preprocessing)
        #expect(plan.outHeight == outHeight && plan.outWidth == outWidth && plan.top == 56 && plan.left == 0)
    }

    @Test(
        "The fast bilinear resize equals its formula at every size",
        arguments: [1, 2, 3, 7, 16, 33], [1, 2, 5, 17, 32, 50])
    func bilinearSizes(inSize: Int, outSize: Int) {
        for (width, height) in [(inSize, inSize), (inSize, 9), (4, inSize)] {
            let rgb = noise(width * height * 3, seed: inSize)
            let image = RGBImage(width: width, height: height, rgb: rgb)
            for (w, h) in [(outSize, outSize), (outSize, 6), (11, outSize)] {
                #expect(
                    bilinear(image, w, h)
                        == resizeBilinearReference(rgb, width: width, height: height, outWidth: w, outHeight: h),
                    "\(width) x \(height) to \(w) x \(h)")
            }
        }
    }

    @Test(
        "The fast antialiased resize equals its formula at every size",
        arguments: [1, 2, 3, 16, 33, 100], [1, 2, 5, 17, 50])
    func antialiasSizes(inSize: Int, outSize: Int) {
        for (width, height) in [(inSize, inSize), (inSize, 9), (4, inSize)] {
            let rgb = noise(width * height * 3, seed: inSize)
            let image = RGBImage(width: width, height: height, rgb: rgb)
            let whole = (x: 0.0, y: 0.0, width: Double(width), height: Double(height))
            let part = (
                x: whole.width * 0.2, y: whole.height * 0.1, width: whole.width * 0.7, height: whole.height * 0.5
            )
            for box in [whole, part] {
                for (w, h) in [(outSize, outSize), (outSize, 6), (11, outSize)] {
                    #expect(
                        antialias(image, box, w, h)
                            == resizeAntialiasReference(
                                rgb, width: width, height: height, box: box, outWidth: w, outHeight: h),
                        "\(width) x \(height), \(box) to \(w) x \(h)")
                }
            }
        }
    }

    @Test("A window of a resize is that part of the whole")
    func window() {
        let image = RGBImage(width: 40, height: 30, rgb: noise(3600, seed: 5))
        let box = (x: 0.0, y: 0.0, width: 40.0, height: 30.0)
        for (left, top) in [(0, 0), (7, 3), (24, 8)] {
            #expect(
                bilinear(image, 64, 48, left: left, top: top, side: 40)
                    == crop(bilinear(image, 64, 48), width: 64, left: left, top: top, side: 40))
            #expect(
                antialias(image, box, 64, 48, left: left, top: top, side: 40)
                    == crop(antialias(image, box, 64, 48), width: 64, left: left, top: top, side: 40))
        }
    }

    @Test("A row is normalised value by value", arguments: [1, 2, 15, 16, 17, 63, 224])
    func normalizedRow(width: Int) {
        let (mean, std): ([Float], [Float]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        let row = noise(width * 3, seed: width)
        var out = [Float](repeating: -7, count: 3 * (width + 1))
        Normalization(mean: mean, std: std)
            .normalizeRow(row, width: width, into: &out, plane: width + 1)
        for c in 0..<3 {
            for x in 0..<width {
                let value = row[x * 3 + c]
                #expect(out[c * (width + 1) + x] == (Float(value) * (1 / 255 as Float) - mean[c]) / std[c])
            }
            #expect(out[c * (width + 1) + width] == -7)
        }
    }

    @Test("A row is turned round pixel by pixel", arguments: [1, 2, 17])
    func mirroredRow(width: Int) {
        let row = noise(width * 3, seed: width)
        var out = [UInt8](repeating: 0, count: width * 3)
        mirrorRow(row, width: width, into: &out)
        var wanted: [UInt8] = []
        for x in (0..<width).reversed() { wanted += row[x * 3..<x * 3 + 3] }
        #expect(out == wanted)
    }

    @Test("The antialiased resize equals Pillow's", arguments: ExpectedPictures.fixture.resized)
    func pillow(expected: ExpectedPictures.Resized) throws {
        let image = RGBImage()
        try ImageDecoder().decode(RawPath(Fixture.path("images/\(expected.file)")), into: image)
        let b = expected.box ?? [0, 0, Double(image.width), Double(image.height)]
        let box = (x: b[0], y: b[1], width: b[2] - b[0], height: b[3] - b[1])
        let out = antialias(image, box, expected.width, expected.height)
        if let rgb = expected.rgb { #expect(out == rgb) }
        #expect(digest(out) == expected.sha256)
    }

    @Test("Blocks are averaged, also the smaller ones at the edges")
    func blocks() {
        let image = RGBImage(width: 3, height: 2, rgb: (0..<18).map { UInt8($0) })
        var out = [UInt8](repeating: 0, count: 6)
        averageBlocks(image.pixels, width: 3, height: 2, factorX: 2, factorY: 2, into: &out)
        #expect(out == [6, 7, 8, 11, 12, 13])
    }

    @Test("A picture of a hundred thousand by one pixels becomes an input too")
    func extremeShape() throws {
        for (width, height) in [(100_000, 1), (1, 100_000), (30_000, 3)] {
            let image = RGBImage(
                width: width, height: height, rgb: [UInt8](repeating: 90, count: width * height * 3))
            for geometry in [Preprocessing.Geometry.stretch, .centreCrop(shorterSide: 40)] {
                for filter in [Preprocessing.Filter.bilinear, .antialias] {
                    let writer = SampleWriter(
                        try Preprocessing(
                            pixels: 32, filter: filter, geometry: geometry, mean: [0, 0, 0], std: [1, 1, 1]))
                    let planes = writer.values(of: image, fullSize: (width, height))
                    #expect(planes.allSatisfy { $0 == 90 * (1 / 255 as Float) })
                }
            }
        }
    }

    // MARK: -

    private func bilinear(_ image: RGBImage, _ w: Int, _ h: Int, left: Int = 0, top: Int = 0, side: Int? = nil)
        -> [UInt8]
    {
        let (windowX, windowY) = (left..<left + (side ?? w), top..<top + (side ?? h))
        var out: [UInt8] = []
        var scratch = BilinearScratch()
        resizeBilinear(
            image.pixels, width: image.width, height: image.height, stride: image.stride, outWidth: w, outHeight: h,
            windowX: windowX, windowY: windowY, scratch: &scratch
        ) { _, row in out += UnsafeBufferPointer(start: row, count: windowX.count * 3) }
        return out
    }

    private func antialias(
        _ image: RGBImage, _ box: (x: Double, y: Double, width: Double, height: Double), _ w: Int, _ h: Int,
        left: Int = 0, top: Int = 0, side: Int? = nil
    ) -> [UInt8] {
        let (windowX, windowY) = (left..<left + (side ?? w), top..<top + (side ?? h))
        var out: [UInt8] = []
        var scratch = AntialiasScratch()
        resizeAntialias(
            image.pixels, width: image.width, height: image.height, box: box, outWidth: w, outHeight: h,
            windowX: windowX, windowY: windowY, scratch: &scratch
        ) { _, row in out += UnsafeBufferPointer(start: row, count: windowX.count * 3) }
        return out
    }

    private func crop(_ rgb: [UInt8], width: Int, left: Int, top: Int, side: Int) -> [UInt8] {
        (0..<side).flatMap { y in
            let from = ((top + y) * width + left) * 3
            return rgb[from..<from + side * 3]
        }
    }

    /// Every crop of a bordered picture, mirrored or not, is the same part of the picture padded by the framework.
    private func expectCrops(of image: RGBImage, from padded: [UInt8], border: Int) {
        let (width, height) = (image.width, image.height)
        let paddedWidth = width + 2 * border
        #expect(padded.count == paddedWidth * (height + 2 * border) * 3)
        for (left, top) in [(-border, -border), (0, 0), (border, border), (-3, 2), (1, -4)] {
            var out = [UInt8](repeating: 1, count: width * height * 3)
            let expected = (0..<height).flatMap { y in
                let from = ((top + border + y) * paddedWidth + left + border) * 3
                return padded[from..<from + width * 3]
            }
            padCropMirror(
                image.pixels, width: width, height: height, left: left, top: top, mirrored: false, into: &out)
            #expect(out == expected)
            padCropMirror(image.pixels, width: width, height: height, left: left, top: top, mirrored: true, into: &out)
            let mirrored = (0..<height).flatMap { y in
                (0..<width).flatMap { x in
                    let from = (y * width + width - 1 - x) * 3
                    return expected[from..<from + 3]
                }
            }
            #expect(out == mirrored)
        }
    }
}
