import Foundation
import Support
import TestSupport
import Testing

@testable import Images

@Suite("A picture becomes the network's input in one way")
struct PreprocessingTests {
    @Test("The stored form reads back", arguments: [Preprocessing.cifar10(), .photographs(), .photographs(pixels: 96)])
    func stored(preprocessing: Preprocessing) throws {
        let data = try JSONEncoder().encode(preprocessing)
        #expect(try JSONDecoder().decode(Preprocessing.self, from: data) == preprocessing)
    }

    @Test("The stored form is the one that files in the world have")
    func storedForm() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(
            String(decoding: try encoder.encode(Preprocessing.photographs()), as: UTF8.self)
                == #"{"filter":"antialias","geometry":"centre_crop","mean":[0.485,0.456,0.406],"orientation":"apply","#
                + #""pixels":224,"reduction_gap":2,"shorter_side":256,"std":[0.229,0.224,0.225]}"#)
    }

    @Test(
        "Values outside their range are refused with a sentence",
        arguments: [
            (#""pixels":0"#, "pixels"), (#""pixels":5000"#, "pixels"), (#""shorter_side":31"#, "shorter_side"),
            (#""std":[1,0,1]"#, "std"), (#""mean":[1,2]"#, "mean"), (#""reduction_gap":0.5"#, "reduction_gap"),
        ])
    func refused(replacement: String, word: String) throws {
        var object =
            #"{"filter":"antialias","geometry":"centre_crop","mean":[0,0,0],"orientation":"apply","pixels":32,"#
        object += #""reduction_gap":2,"shorter_side":32,"std":[1,1,1]}"#
        let key = try #require(replacement.split(separator: ":").first)
        let old = try #require(object.firstMatch(of: try Regex("\(key):(\\[[^\\]]*\\]|[0-9.]+)")))
        object.replaceSubrange(old.range, with: replacement)
        let error = #expect(throws: PreprocessingError.self) {
            try JSONDecoder().decode(Preprocessing.self, from: Data(object.utf8))
        }
        #expect(error?.sentence.contains(word) == true)
    }

    @Test("The whole path gives the same as its parts")
    func path() throws {
        let rgb = noise(50 * 40 * 3, seed: 4)
        let image = RGBImage(width: 50, height: 40, rgb: rgb)
        let preprocessing = Preprocessing.cifar10(pixels: 24)
        let planes = SampleWriter(preprocessing).values(of: image, fullSize: (50, 40))
        let square = resizeBilinearReference(rgb, width: 50, height: 40, outWidth: 24, outHeight: 24)
        for c in 0..<3 {
            for i in 0..<24 * 24 {
                let scaled = Float(square[i * 3 + c]) * (1 / 255 as Float)
                let expected = (scaled - preprocessing.mean[c]) / preprocessing.std[c]
                try #require(planes[c * 24 * 24 + i] == expected)
            }
        }
    }

    @Test("A JPEG decoded smaller gives nearly the same input as one decoded whole")
    func reduction() throws {
        var preprocessing = Preprocessing.photographs(pixels: 16)
        preprocessing.geometry = .centreCrop(shorterSide: 18)
        var inputs: [[Float]] = []
        var reductions: [Int] = []
        for gap in [nil, 2.0] {
            preprocessing.reductionGap = gap
            let (decoder, writer, image) = (ImageDecoder(), SampleWriter(preprocessing), RGBImage())
            let facts = try decoder.decode(RawPath(Fixture.path("images/pillow/hopper_gray.jpg")), into: image) {
                writer.reduction(for: $0, generator: SeededGenerator(seed: 0))
            }
            inputs.append(
                writer.values(of: image, fullSize: facts.uprightSize(.apply), reduction: facts.reduction))
            reductions.append(facts.reduction)
        }
        #expect(reductions == [1, 2])
        let worst = zip(inputs[0], inputs[1]).map { abs($0 - $1) }.max() ?? 1
        // Four of 255 levels, on the normalised scale.
        #expect(worst < 4 / 255 / 0.224)
    }

    @Test("A drawn part lies in the picture and has a permitted shape", arguments: 0..<200)
    func randomCrop(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let (width, height) = (1 + generator.below(900), 1 + generator.below(700))
        let plan = SamplePlan(randomCropOf: width, height, pixels: 32, using: &generator)
        let box = plan.box
        #expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height)
        #expect(box.width > 0 && box.height > 0)
        if min(width, height) > 60 && (0.8...1.25).contains(Double(width) / Double(height)) {
            let area = Double(box.width * box.height) / Double(width * height)
            let ratio = Double(box.width) / Double(box.height)
            #expect((0.33...1.01).contains(area) && (0.72...1.38).contains(ratio), "\(box) of \(width) x \(height)")
        }
    }

    @Test(
        "Augmented pictures depend on their seed, epoch and record only", arguments: [Augmentation.cifar, .photographs])
    func augmentation(augmentation: Augmentation) {
        let image = RGBImage(width: 32, height: 32, rgb: noise(32 * 32 * 3, seed: 8))
        let preprocessing = Preprocessing.cifar10(pixels: 32)
        func draw(_ epoch: Int, _ record: Int, with writer: SampleWriter) -> [Float] {
            let generator = SeededGenerator(seed: 3, stream: epoch, record)
            return writer.values(of: image, fullSize: (32, 32), generator: generator)
        }
        let writer = SampleWriter(preprocessing, augmentation: augmentation)
        let drawn = (0..<40).map { draw(1, $0, with: writer) }
        for record in [39, 0, 17] {
            #expect(draw(1, record, with: SampleWriter(preprocessing, augmentation: augmentation)) == drawn[record])
        }
        #expect(Set(drawn).count > 30)
        #expect(draw(2, 0, with: writer) != drawn[0])
    }

    @Test("Every place of the CIFAR crop is drawn, mirrored half of the time")
    func cifarCrops() {
        // A picture whose pixels tell their place.
        var rgb: [UInt8] = []
        for place in 0..<32 * 32 { rgb += [UInt8(place / 32 + 1), UInt8(place % 32 + 1), 0] }
        let image = RGBImage(width: 32, height: 32, rgb: rgb)
        var preprocessing = Preprocessing.cifar10(pixels: 32)
        (preprocessing.mean, preprocessing.std) = ([0, 0, 0], [1, 1, 1])
        let writer = SampleWriter(preprocessing, augmentation: .cifar)
        var tops: Set<Int> = []
        var lefts: Set<Int> = []
        var mirrored = 0
        for record in 0..<1000 {
            let planes = writer.values(
                of: image, fullSize: (32, 32), generator: SeededGenerator(seed: 1, stream: 0, record))
            let (row, column) = (Int((planes[16 * 32 + 16] * 255).rounded()), 32 * 32 + 16 * 32)
            let (here, next) = (planes[column + 15] * 255, planes[column + 16] * 255)
            tops.insert(row - 17)
            if next < here { mirrored += 1 }
            lefts.insert(next > here ? Int(next.rounded()) - 17 : Int(next.rounded()) - 16)
        }
        #expect(tops == Set(-4...4))
        #expect(lefts == Set(-4...4))
        #expect((420...580).contains(mirrored))
    }
}
