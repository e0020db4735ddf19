import Foundation
import TestSupport
import Testing

@testable import Images

@Suite("Batches are the same however they were made")
struct LoaderTests {
    /// What a batch held, for comparing.
    private struct Snapshot: Hashable {
        var number: Int
        var labels: [Int32]
        var indices: [Int]
        var pixels: [UInt32]
    }

    private static let preprocessing = Preprocessing.cifar10(pixels: 8)

    @Test("The same seed gives the same batches at any number of threads", arguments: [1, 2, 4])
    func threads(count: Int) throws {
        let folder = try pictures(23)
        let expected = try batches(folder, threads: 3, epoch: 2)
        #expect(try batches(folder, threads: count, epoch: 2) == expected)
        #expect(expected.map(\.labels.count) == [5, 5, 5, 5, 3])
        #expect(Set(expected.flatMap(\.indices)).count == 23)
    }

    @Test("Epochs and seeds differ")
    func epochs() throws {
        let folder = try pictures(23)
        let first = try batches(folder, epoch: 0)
        #expect(try batches(folder, epoch: 1).map(\.indices) != first.map(\.indices))
        #expect(try batches(folder, epoch: 0, seed: 8).map(\.indices) != first.map(\.indices))
        #expect(try batches(folder, epoch: 0, shuffles: false).flatMap(\.indices) == Array(0..<23))
    }

    @Test("An epoch entered at any batch goes on as the whole one does", arguments: 0...5)
    func resume(first: Int) throws {
        let folder = try pictures(23)
        let whole = try batches(folder, epoch: 4)
        #expect(try batches(folder, epoch: 4, from: first) == Array(whole.dropFirst(first)))
    }

    @Test("A loader can be turned to another epoch in the middle of one")
    func restart() throws {
        let folder = try pictures(23)
        let expected = try batches(folder, epoch: 1)
        let loader = try loader(folder, threads: 2, augmentation: .cifar)
        for _ in 0..<20 {
            loader.begin(epoch: 0)
            _ = try loader.next()
        }
        loader.begin(epoch: 1)
        #expect(try drain(loader) == expected)
        #expect(try loader.next() == nil)
    }

    @Test("A loader that is dropped with batches in flight ends its threads")
    func drop() throws {
        let folder = try pictures(23)
        for _ in 0..<20 { try loader(folder, threads: 4).begin(epoch: 0) }
    }

    @Test("The remainder is dropped only when that is asked for")
    func remainder() throws {
        let folder = try pictures(23)
        #expect(try batches(folder, epoch: 0, dropsRemainder: true).count == 4)
        #expect(try batches(folder, epoch: 0).count == 5)
    }

    @Test("Unreadable pictures are left out, named once, and the others keep their own pixels", arguments: [1, 3])
    func unreadable(threads: Int) throws {
        let folder = try pictures(23)
        for name in ["1/07.png", "0/10.png"] { try folder.write([0x89, 0x50], to: name) }
        let loader = try loader(folder, threads: threads, unreadableLimit: 0.1)
        var reported: [String] = []
        for epoch in 0..<2 {
            loader.begin(epoch: epoch)
            var seen: Set<Int> = []
            while let batch = try loader.next() {
                reported += batch.unreadable.map(\.name)
                #expect(batch.labels.count == batch.count && batch.indices.count == batch.count)
                for (row, index) in batch.indices.enumerated() {
                    seen.insert(index)
                    #expect(Int(batch.labels[row]) == loader.dataset.label(at: index))
                    #expect(batch.images.values(of: row)[0] == expectedValue(loader.dataset.recordName(at: index)))
                }
            }
            #expect(seen.count == 21)
        }
        #expect(Set(reported) == ["1/07.png", "0/10.png"] && reported.count == 2)
        #expect(loader.unreadable.count == 2)
    }

    @Test("A batch of nothing but unreadable pictures is left out")
    func emptyBatch() throws {
        let folder = try pictures(10)
        for number in 0..<5 { try folder.write([0x89], to: "0/\(twoDigits(number * 2)).png") }
        let all = try batches(folder, epoch: 0, shuffles: false, unreadableLimit: 1)
        #expect(all.map(\.number) == [1])
    }

    @Test("Past the limit the run fails with the list, at the same batch in every run", arguments: [1, 2, 4])
    func limit(threads: Int) throws {
        let folder = try pictures(23)
        for name in ["1/07.png", "0/10.png", "1/11.png"] { try folder.write([0x89, 0x50], to: name) }
        let loader = try loader(folder, threads: threads, unreadableLimit: 0.1)
        loader.begin(epoch: 0)
        var delivered = 0
        let error = try #require(
            throws: TooManyUnreadableImages.self,
            performing: { while try loader.next() != nil { delivered += 1 } })
        #expect(error.images.count == 3 && error.records == 23)
        #expect(error.description.contains("3 of 23 images could not be used, wanted at most 10.0 %"))
        #expect(error.description.contains("1/11.png: the PNG is damaged"))
        let again = try self.loader(folder, threads: 2, unreadableLimit: 0.1)
        again.begin(epoch: 0)
        for _ in 0..<delivered { _ = try again.next() }
        #expect(throws: TooManyUnreadableImages.self) { try again.next() }
    }

    @Test("A slow picture does not hold up the others")
    func slowPicture() throws {
        let dataset = GatedDataset(count: 9, slow: 0)
        let loader = BatchLoader(
            dataset: dataset, preprocessing: Self.preprocessing,
            options: .init(batchSize: 3, shuffles: false, threads: 2, ringBatches: 3))
        loader.begin(epoch: 0)
        // The eight others are decoded while the first still waits: else this waits out its bound.
        #expect(dataset.waitForOthers(seconds: 20))
        dataset.open()
        #expect(try drain(loader).flatMap(\.indices) == Array(0..<9))
    }

    @Test("An empty data set gives no batches")
    func empty() throws {
        let dataset = SubsetDataset(GatedDataset(count: 1, slow: -1), indices: [])
        let loader = BatchLoader(
            dataset: dataset, preprocessing: Self.preprocessing, options: .init(batchSize: 4))
        loader.begin(epoch: 0)
        #expect(try loader.next() == nil)
        #expect(loader.batchesPerEpoch == 0)
    }

    // MARK: Classification

    @Test("Every file has its outcome, in order, and no picture has its neighbour's pixels", arguments: [1, 2, 4])
    func stream(threads: Int) throws {
        let folder = try pictures(12)
        try folder.write([], to: "0/04.png")
        try folder.write(Array("text".utf8), to: "readme.txt")
        let stream = try ClassificationStream(
            listing: ImageListing(folder: folder.path), preprocessing: Self.preprocessing, batchSize: 4,
            threads: threads)
        var files: [FileOutcome] = []
        while let batch = try stream.next() {
            #expect(batch.files.count(where: { $0.row != nil }) == batch.count)
            for file in batch.files {
                if let row = file.row {
                    #expect(batch.images.values(of: row)[0] == expectedValue(file.path.description))
                    #expect((file.width, file.height) == (3, 3))
                }
            }
            files += batch.files
        }
        #expect(files.map(\.path) == stream.listing.paths && files.map(\.index) == Array(0..<13))
        #expect(files.filter { $0.error != nil }.map(\.path.description) == ["0/04.png", "readme.txt"])
        #expect(files.compactMap(\.error?.kind) == [.unreadable, .unsupported])
        #expect(files.last?.sha256?.description == digest(Array("text".utf8)))
        #expect(files.allSatisfy { $0.sha256 != nil })
    }

    @Test("A stream can be entered at any file, and a file that went away is missing")
    func streamResume() throws {
        let folder = try pictures(12)
        let listing = try ImageListing(folder: folder.path)
        try FileManager.default.removeItem(atPath: folder.path + "/" + listing.paths[7].description)
        let stream = ClassificationStream(
            listing: listing, preprocessing: Self.preprocessing, batchSize: 4, firstFile: 6)
        var files: [FileOutcome] = []
        while let batch = try stream.next() { files += batch.files }
        #expect(files.map(\.index) == Array(6..<12))
        #expect(files[1].error?.kind == .missing && files[1].sha256 == nil && files[1].width == nil)
        let none = ClassificationStream(
            listing: listing, preprocessing: Self.preprocessing, batchSize: 4, firstFile: 12)
        #expect(try none.next() == nil)
    }

    // MARK: -

    /// A folder of two classes; picture `n` is of one colour, made from `n`.
    private func pictures(_ count: Int) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for number in 0..<count {
            let rgb = [UInt8](repeating: UInt8(number * 7 + 5), count: 27)
            try folder.write(
                PNGWriter.encode(rgb: rgb, width: 3, height: 3), to: "\(number % 2)/\(twoDigits(number)).png")
        }
        return folder
    }

    /// The first value of the input made of picture `name`.
    private func expectedValue(_ name: String) -> Float {
        let number = Int(name.dropFirst(2).prefix(2)) ?? -1
        let value = Float(number * 7 + 5) * (1 / 255 as Float)
        return (value - Self.preprocessing.mean[0]) / Self.preprocessing.std[0]
    }

    private func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private func loader(
        _ folder: TemporaryFolder, threads: Int = 2, seed: UInt64 = 7, shuffles: Bool = true,
        dropsRemainder: Bool = false, unreadableLimit: Double = 0, augmentation: Augmentation = .none
    ) throws -> BatchLoader {
        BatchLoader(
            dataset: try ImageFolderDataset(folder: folder.path), preprocessing: Self.preprocessing,
            augmentation: augmentation,
            options: .init(
                batchSize: 5, seed: seed, shuffles: shuffles, dropsRemainder: dropsRemainder, threads: threads,
                unreadableLimit: unreadableLimit))
    }

    private func batches(
        _ folder: TemporaryFolder, threads: Int = 2, epoch: Int, from first: Int = 0, seed: UInt64 = 7,
        shuffles: Bool = true, dropsRemainder: Bool = false, unreadableLimit: Double = 0
    ) throws -> [Snapshot] {
        let loader = try loader(
            folder, threads: threads, seed: seed, shuffles: shuffles, dropsRemainder: dropsRemainder,
            unreadableLimit: unreadableLimit, augmentation: .cifar)
        loader.begin(epoch: epoch, batch: first)
        return try drain(loader)
    }

    private func drain(_ loader: BatchLoader) throws -> [Snapshot] {
        var all: [Snapshot] = []
        while let batch = try loader.next() {
            let values = (0..<batch.count).flatMap { batch.images.values(of: $0) }
            all.append(
                Snapshot(
                    number: batch.number, labels: batch.labels, indices: batch.indices,
                    pixels: values.map(\.bitPattern)))
        }
        return all
    }
}

/// A data set one record of which waits at a gate.
private final class GatedDataset: Dataset, @unchecked Sendable {
    // Unchecked: `decoded` and `isOpen` are used under `condition`.
    let name = "gated"
    let count: Int
    let classNames = ["only"]
    private let slow: Int
    private let condition = NSCondition()
    private var decoded = 0
    private var isOpen = false

    init(count: Int, slow: Int) {
        self.count = count
        self.slow = slow
    }

    func label(at index: Int) -> Int { 0 }
    func recordName(at index: Int) -> String { "\(index)" }

    func file(at index: Int) -> RawPath? { nil }

    func readImage(
        at index: Int, using decoder: ImageDecoder, into image: RGBImage, reduction: (ImageFacts) -> Int
    ) throws(ImageError) -> ImageFacts {
        condition.lock()
        while index == slow && !isOpen { condition.wait() }
        decoded += 1
        condition.broadcast()
        condition.unlock()
        _ = image.reshape(width: 1, height: 1)
        return ImageFacts(format: .raw, width: 1, height: 1, orientation: .upright, reduction: 1)
    }

    /// Whether all records but the slow one were decoded within the bound.
    func waitForOthers(seconds: Double) -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while decoded < count - 1 {
            if !condition.wait(until: end) { return false }
        }
        return true
    }

    func open() {
        condition.lock()
        isOpen = true
        condition.broadcast()
        condition.unlock()
    }
}
