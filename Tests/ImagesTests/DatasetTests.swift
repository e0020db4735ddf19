import Foundation
import TestSupport
import Testing

@testable import Images

@Suite("Data sets are recognised, and say what is wrong with them")
struct DatasetTests {
    // MARK: CIFAR-10

    @Test("CIFAR-10 records come in file order with their labels and pixels")
    func cifar() throws {
        let folder = try TemporaryFolder()
        try folder.write(cifarFile([3, 1]), to: "data_batch_1.bin")
        try folder.write(cifarFile([9]), to: "data_batch_3.bin")
        let dataset = try CIFAR10Dataset(folder: folder.path, part: .training)
        #expect(dataset.count == 3)
        #expect(dataset.classNames.count == 10 && dataset.classNames[3] == "cat")
        #expect((0..<3).map(dataset.label(at:)) == [3, 1, 9])
        #expect(
            (0..<3).map(dataset.recordName(at:)) == ["data_batch_1.bin#0", "data_batch_1.bin#1", "data_batch_3.bin#0"])
        let image = RGBImage()
        _ = try dataset.readImage(at: 2, using: ImageDecoder(), into: image) { _ in 1 }
        #expect((image.width, image.height) == (32, 32))
        let record = cifarFile([9])
        let (pixel, first) = (33, 1 + 33)
        let expected = [record[first], record[first + 1024], record[first + 2048]]
        #expect(Array(image.array[3 * pixel..<3 * pixel + 3]) == expected)
    }

    @Test("A limit keeps the first records of CIFAR-10")
    func cifarLimit() throws {
        let folder = try TemporaryFolder()
        try folder.write(cifarFile([3, 1, 4]), to: "data_batch_1.bin")
        #expect(try CIFAR10Dataset(folder: folder.path, part: .training, limit: 2).count == 2)
        #expect(try CIFAR10Dataset(folder: folder.path, part: .training, limit: 20).count == 3)
    }

    @Test("Class names come from the file beside the batches")
    func cifarNames() throws {
        let folder = try TemporaryFolder()
        try folder.write(cifarFile([1]), to: "test_batch.bin")
        try folder.write(Array("cat\r\ndog \n\n".utf8), to: "batches.meta.txt")
        #expect(try CIFAR10Dataset(folder: folder.path, part: .test).classNames == ["cat", "dog"])
    }

    @Test("A broken CIFAR-10 folder says what was found and what was wanted")
    func cifarErrors() throws {
        let folder = try TemporaryFolder()
        try expectError("has no data_batch_1.bin") { try CIFAR10Dataset(folder: folder.path, part: .training) }
        try folder.write(Array(cifarFile([1, 2]).dropLast()), to: "data_batch_1.bin")
        try expectError("has 6145 bytes, wanted a multiple of 3073") {
            try CIFAR10Dataset(folder: folder.path, part: .training)
        }
        try folder.write([], to: "data_batch_1.bin")
        try expectError("has 0 bytes") { try CIFAR10Dataset(folder: folder.path, part: .training) }
        try folder.write(cifarFile([1, 10]), to: "data_batch_1.bin")
        try expectError("record 1 has label 10, wanted 0 to 9") { try DatasetOpener.open(folder.path) }
        try expectError("has no test_batch.bin") { try CIFAR10Dataset(folder: folder.path, part: .test) }
    }

    @Test(
        "Of a CIFAR-10 folder no link is followed and no pipe opened, whoever put it there after the folder was inspected",
        arguments: ["test_batch.bin", "batches.meta.txt"])
    func cifarSpecialFiles(name: String) throws {
        let folder = try TemporaryFolder()
        try folder.write(cifarFile([1]), to: "elsewhere/test_batch.bin")
        try folder.write(Array("cat\ndog\n".utf8), to: "elsewhere/batches.meta.txt")
        try folder.write(cifarFile([1]), to: "set/test_batch.bin")
        let place = "\(folder.path)/set/\(name)"
        try? FileManager.default.removeItem(atPath: place)
        try FileManager.default.createSymbolicLink(atPath: place, withDestinationPath: "../elsewhere/\(name)")
        try expectError("not followed") { try CIFAR10Dataset(folder: folder.path + "/set", part: .test) }
        try FileManager.default.removeItem(atPath: place)
        try #require(mkfifo(place, 0o600) == 0)
        try expectError("regular file") { try CIFAR10Dataset(folder: folder.path + "/set", part: .test) }
    }

    @Test("A CIFAR-10 folder with some of its batches opens", arguments: [["data_batch_2.bin"], ["test_batch.bin"]])
    func cifarParts(files: [String]) throws {
        let folder = try TemporaryFolder()
        for file in files { try folder.write(cifarFile([5, 6]), to: "cifar-10-batches-bin/" + file) }
        let opened = try DatasetOpener.open(folder.path)
        #expect(opened.kind == .cifar10)
        #expect((opened.training == nil) == (files == ["test_batch.bin"]))
        #expect((opened.validation == nil) == (files != ["test_batch.bin"]))
        #expect(opened.all.count == 2)
    }

    // MARK: Folders

    @Test("Classes are the folders' exact names, sorted by their bytes; pictures lie at any depth")
    func folders() throws {
        let folder = try TemporaryFolder()
        let picture = PNGWriter.encode(rgb: [1, 2, 3], width: 1, height: 1)
        for name in [
            "b/x.png", "Ä/y", "a b/deep/er/z.png", "Z/1.PNG", "b/a.png", "b/notes.txt", ".hidden/x.png", "README",
        ] {
            try folder.write(name.contains("notes") || name == "README" ? [65] : picture, to: name)
        }
        try folder.write([], to: "b/broken.jpg")
        let dataset = try ImageFolderDataset(folder: folder.path)
        #expect(dataset.classNames == ["Z", "a b", "b", "Ä"])
        #expect(
            (0..<dataset.count).map(dataset.recordName(at:))
                == ["Z/1.PNG", "a b/deep/er/z.png", "b/a.png", "b/broken.jpg", "b/x.png", "Ä/y"])
        #expect((0..<dataset.count).map(dataset.label(at:)) == [0, 1, 2, 2, 2, 3])
        #expect(dataset.ignored.sorted() == ["README", "b/notes.txt"])
        let image = RGBImage()
        _ = try dataset.readImage(at: 5, using: ImageDecoder(), into: image) { _ in 1 }
        #expect(image.array == [1, 2, 3])
    }

    @Test("Folders that are no data set say so")
    func folderErrors() throws {
        let folder = try TemporaryFolder()
        try expectError("there is no data set") { try DatasetOpener.open(folder.path + "/none") }
        try expectError("is empty") { try DatasetOpener.open(folder.path) }
        let file = try folder.write([1], to: "a.jpg")
        try expectError("is a file") { try DatasetOpener.open(file) }
        try expectError("has 1 files but no class folders") { try DatasetOpener.open(folder.path) }
        try folder.write([1], to: "cats/notes.txt")
        try expectError("class folder 'cats' holds no images") { try DatasetOpener.open(folder.path) }
        let name = RawPath(bytes: Array((folder.path + "/x").utf8) + [0xFF])
        try #require(
            (name.bytes + [0]).withUnsafeBytes { mkdir($0.baseAddress!.assumingMemoryBound(to: CChar.self), 0o700) }
                == 0)
        try expectError("is not UTF-8; rename it") { try DatasetOpener.open(folder.path) }
    }

    @Test("A training and a validation folder are recognised", arguments: ["val", "validation", "test"])
    func parts(name: String) throws {
        let folder = try TemporaryFolder()
        for file in ["train/cat/1.jpg", "train/dog/1.jpg", "train/dog/2.jpg", "\(name)/dog/3.jpg"] {
            try folder.write([0], to: file)
        }
        let opened = try DatasetOpener.open(folder.path)
        #expect(opened.classNames == ["cat", "dog"])
        #expect(opened.training?.count == 3 && opened.validation?.count == 1 && !opened.isDividedByHash)
        #expect(opened.validation?.label(at: 0) == 1)
        try folder.write([0], to: "\(name)/wolf/1.jpg")
        try expectError("'wolf' is no class of the training images, which are: cat, dog") {
            try DatasetOpener.open(folder.path)
        }
    }

    @Test(
        "Parts that are not recognised are no classes",
        arguments: [
            ("valid/cat/1.png", "the folders 'train' and 'valid'"), ("val/notes.txt", "the folder 'val' beside"),
        ])
    func unknownParts(_ other: String, _ sentence: String) throws {
        let folder = try TemporaryFolder()
        for path in ["train/cat/1.png", "train/dog/1.png", other] { try folder.write([1], to: path) }
        try expectError(sentence) { try DatasetOpener.open(folder.path) }
    }

    @Test("A class folder that is a link is refused, not left out")
    func linkedClass() throws {
        let folder = try TemporaryFolder()
        for path in ["set/cat/1.png", "away/1.png"] { try folder.write([1], to: path) }
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/set/dog", withDestinationPath: folder.path + "/away")
        try expectError("'dog' is a symbolic link") { try DatasetOpener.open(folder.path + "/set") }
    }

    @Test("A class that happens to be called 'train' is a class")
    func trainAsClass() throws {
        let folder = try TemporaryFolder()
        for file in ["train/1.jpg", "ship/1.jpg"] { try folder.write([0], to: file) }
        #expect(try DatasetOpener.open(folder.path).classNames == ["ship", "train"])
    }

    // MARK: Splitting

    @Test("A record stays on its side of the split, in every run and on every machine")
    func splitIsStable() {
        let held = (0..<40).filter { HashSplit.isHeldBack("roses/\($0).jpg", share: 0.1) }
        #expect(held == Self.heldBack)
    }

    /// As it was when the rule was made; a change would leak validation pictures into training.
    static let heldBack = [10, 32, 36]

    @Test("The share that is held back is about what was asked for", arguments: [0.0, 0.1, 0.5])
    func splitShare(share: Double) {
        let held = (0..<10_000).count { HashSplit.isHeldBack("class \($0 % 7)/IMG_\($0).jpg", share: share) }
        #expect(abs(Double(held) / 10_000 - share) < 0.015)
    }

    @Test("A class whose only pictures would be held back keeps one to train on")
    func smallClass() throws {
        let folder = try TemporaryFolder()
        // Both are among those that the hash holds back.
        for file in ["roses/10.jpg", "roses/32.jpg", "tulips/1.jpg", "tulips/2.jpg"] { try folder.write([0], to: file) }
        let opened = try DatasetOpener.open(folder.path, validationShare: 0.1)
        let (training, validation) = (try #require(opened.training), try #require(opened.validation))
        #expect((0..<training.count).map(training.recordName(at:)) == ["roses/10.jpg", "tulips/1.jpg", "tulips/2.jpg"])
        #expect((0..<validation.count).map(validation.recordName(at:)) == ["roses/32.jpg"])
    }

    @Test("A class that is large enough to be held back of gives a record at least, a smaller one need not")
    func unluckyClass() throws {
        let folder = try TemporaryFolder()
        let names = (0..<40).map { "roses/\($0).jpg" }.filter { !HashSplit.isHeldBack($0, share: 0.1) }
        for name in names.prefix(10) { try folder.write([0], to: name) }
        for number in 0..<60 { try folder.write([0], to: "tulips/\(number).jpg") }
        func held() throws -> [String] {
            let validation = try #require(try DatasetOpener.open(folder.path, validationShare: 0.1).validation)
            return (0..<validation.count).map(validation.recordName(at:)).filter { $0.hasPrefix("roses") }
        }
        #expect(try held().count == 1)
        try FileManager.default.removeItem(atPath: folder.path + "/" + names[0])
        #expect(try held().isEmpty)
    }

    @Test("A folder without a validation part is divided, each record once")
    func split() throws {
        let folder = try TemporaryFolder()
        for number in 0..<60 { try folder.write([0], to: "\(number % 2)/\(number).jpg") }
        let opened = try DatasetOpener.open(folder.path, validationShare: 0.2)
        let (training, validation) = (try #require(opened.training), try #require(opened.validation))
        let names = [training, validation].map { part in Set((0..<part.count).map(part.recordName(at:))) }
        #expect(opened.isDividedByHash && opened.all.count == 60)
        #expect(names[0].isDisjoint(with: names[1]) && names[0].union(names[1]).count == 60)
        #expect(try DatasetOpener.open(folder.path, validationShare: 0).validation == nil)
        #expect(try DatasetOpener.open(folder.path, limit: 5).training?.count == 5)
    }

    @Test("A limited data set keeps all of its classes")
    func limit() throws {
        let folder = try TemporaryFolder()
        for number in 0..<30 { try folder.write([0], to: "\(number / 10)/\(number).jpg") }
        let few = try ImageFolderDataset(folder: folder.path).limited(to: 6)
        #expect((0..<few.count).map(few.label(at:)) == [0, 0, 1, 1, 2, 2])
    }

    // MARK: Listing

    @Test("A listing has every file that is not hidden, sorted by the bytes of its path, whatever it is")
    func listing() throws {
        let folder = try TemporaryFolder()
        for name in ["b.jpg", "a/z.txt", "a.png", ".ready", ".git/x", "B", "job.yaml", "sub/job.yaml"] {
            try folder.write([0], to: name)
        }
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: "a")
        let bytes = Array((folder.path + "/odd").utf8) + [0xFE]
        let made = (bytes + [0]).withUnsafeBytes {
            open($0.baseAddress!.assumingMemoryBound(to: CChar.self), O_CREAT, 0o600)
        }
        try #require(made >= 0)
        close(made)
        let listing = try ImageListing(folder: folder.path, excluding: ["job.yaml"])
        #expect(
            listing.paths
                == ["B", "a.png", "a/z.txt", "b.jpg", "link"].map { RawPath($0) }
                + [RawPath(bytes: Array("odd".utf8) + [0xFE]), RawPath("sub/job.yaml")])
        #expect(listing.paths[5].string == nil)
        try expectError("could not list image folder '/none'") { try ImageListing(folder: "/none") }
        try expectError("'/etc/hostname' is a file, wanted a folder of pictures") {
            try ImageListing(folder: "/etc/hostname")
        }
    }

    @Test("In the place of CIFAR-10's files a listing has their records; what only has the name says so in one row")
    func listedRecords() throws {
        let folder = try TemporaryFolder()
        try folder.write(cifarFile([3, 1]), to: "test_batch.bin")
        try folder.write(cifarFile([9]), to: "sub/test_batch.bin")
        for name in ["data_batch_2.bin", "test_batch.bi", "u.png"] { try folder.write([0], to: name) }
        let listing = try ImageListing(folder: folder.path)
        let records = ["test_batch.bin#00000", "test_batch.bin#00001"]
        let files = ["data_batch_2.bin", "sub/test_batch.bin", "test_batch.bi"]
        #expect(listing.paths == (files + records + ["u.png"]).map { RawPath($0) })
        #expect((0..<listing.count).map { listing.file(at: $0) == nil } == [true, false, false, true, true, false])
        #expect(listing.part(3..<5).paths == records.map { RawPath($0) })

        let decoder = ImageDecoder()
        decoder.hashesFiles = true
        let image = RGBImage()
        _ = try listing.part(4..<6).readImage(at: 0, using: decoder, into: image) { _ in 1 }
        let record = cifarFile([3, 1])[3073...]
        #expect(Array(image.array.prefix(3)) == [record[3074], record[3074 + 1024], record[3074 + 2048]])
        #expect(Array(record).withUnsafeBytes { SHA256Digest(of: $0) } == decoder.lastSHA256)
        #expect(throws: ImageError.self) {
            try listing.part(5..<6).readImage(at: 0, using: decoder, into: image) { _ in 1 }
        }
        let error = #expect(throws: ImageError.self) {
            try listing.readImage(at: 0, using: decoder, into: image) { _ in 1 }
        }
        #expect(
            error?.kind == .unreadable && error?.sentence.hasPrefix("the file has 1 bytes, wanted a multiple") == true)

        // The file is open; cut, it has nothing more to give.
        #expect(truncate(folder.path + "/test_batch.bin", 4000) == 0)
        let cut = #expect(throws: ImageError.self) {
            try listing.readImage(at: 4, using: decoder, into: image) { _ in 1 }
        }
        #expect(cut?.sentence == "the file was cut while it was read")
        _ = try listing.readImage(at: 3, using: decoder, into: image) { _ in 1 }
    }

    @Test("A file that is called like a record is not taken for one, nor is the file of records for them")
    func namedLikeARecord() throws {
        let folder = try TemporaryFolder()
        try folder.write(cifarFile([3, 1]), to: "test_batch.bin")
        try folder.write(cifarFile([4]), to: "data_batch_1.bin")
        try folder.write([0], to: "test_batch.bin#00001")
        let listing = try ImageListing(folder: folder.path)
        let names = ["data_batch_1.bin#00000", "test_batch.bin", "test_batch.bin#00001"]
        #expect(listing.paths == names.map { RawPath($0) })
        #expect(listing.file(at: 0) == nil && listing.file(at: 1) != nil && listing.file(at: 2) != nil)
    }

    // MARK: -

    private func expectError<Value>(_ part: String, from body: () throws -> Value) throws {
        let error = #expect(throws: DatasetError.self) { _ = try body() }
        #expect(error?.sentence.contains(part) == true, "\(error?.sentence ?? "no error")")
    }
}

/// Records of CIFAR-10's binary form with these labels.
func cifarFile(_ labels: [UInt8]) -> [UInt8] {
    labels.flatMap { [$0] + noise(3072, seed: Int($0)) }
}
