import CIsolation
import Foundation
import Images
import TestSupport
import Testing

@Suite("Decoders in processes of their own")
struct IsolationTests {
    static let helper = DecodeIsolation(program: BuiltProgram.path, arguments: ["decode-helper"])
    static let preprocessing = Preprocessing.photographs(pixels: 32)

    @Test("A helper gives the same pixels, sizes and hashes as this process")
    func sameResults() throws {
        let listing = try ImageListing(folder: Fixture.path("images/drawn"))
        let here = try outcomes(listing, isolation: nil)
        let there = try outcomes(listing, isolation: Self.helper)
        #expect(here == there)
        #expect(here.count == listing.count && here.contains { $0.error != nil } == false)
    }

    @Test("Errors travel too")
    func errors() throws {
        let listing = try ImageListing(folder: Fixture.path("images/broken"))
        #expect(try outcomes(listing, isolation: nil) == outcomes(listing, isolation: Self.helper))
    }

    @Test("A crash costs the one file, whose row says so", arguments: [1, 2])
    func crash(threads: Int) throws {
        let folder = try TemporaryFolder()
        let picture = try Fixture.bytes("images/drawn/420.jpg")
        for number in 0..<12 {
            try folder.write(picture, to: number % 5 == 2 ? "\(number) poison.jpg" : "\(number).jpg")
        }
        var isolation = Self.helper
        isolation.arguments += ["--crash-on", "poison"]
        let outcomes = try outcomes(ImageListing(folder: folder.path), isolation: isolation, threads: threads)
        #expect(outcomes.count == 12)
        for outcome in outcomes {
            let isPoison = outcome.path.contains("poison")
            #expect((outcome.error?.contains("crashed on this file (signal 6") ?? false) == isPoison, "\(outcome.path)")
            #expect(outcome.pixels.isEmpty == isPoison)
        }
        #expect(Set(outcomes.map(\.pixels)).count == 2)
    }

    @Test("A picture that takes too long is given up")
    func timeLimit() throws {
        let folder = try TemporaryFolder()
        let side = 3000
        try folder.write(
            PNGWriter.encode(rgb: [UInt8](repeating: 7, count: side * side * 3), width: side, height: side),
            to: "slow.png")
        try folder.write(Fixture.bytes("images/drawn/420.jpg"), to: "small.jpg")
        let outcomes = try outcomes(
            try ImageListing(folder: folder.path), isolation: Self.helper,
            decoding: DecodingOptions(maximumSeconds: 0.004))
        #expect(outcomes.map(\.kind) == [.tooLarge, nil])
        #expect(outcomes[0].error?.contains("0.004 s") == true)
    }

    @Test("A helper that ends without a word costs the pictures it was asked for")
    func uselessHelper() throws {
        let listing = try ImageListing(folder: Fixture.path("images/libjpeg-turbo"))
        let outcomes = try outcomes(listing, isolation: DecodeIsolation(program: "/bin/false", arguments: []))
        #expect(outcomes.count == listing.count)
        #expect(outcomes.allSatisfy { $0.kind == .unreadable && $0.pixels.isEmpty })
    }

    @Test("A helper that talks nonsense and goes on is ended", .timeLimit(.minutes(1)))
    func nonsense() throws {
        let folder = try TemporaryFolder()
        try folder.write(Fixture.bytes("images/drawn/420.jpg"), to: "a.jpg")
        let isolation = DecodeIsolation(
            program: "/bin/sh", arguments: ["-c", "echo hello >&0; exec sleep 60 2>/dev/null"])
        let outcomes = try outcomes(try ImageListing(folder: folder.path), isolation: isolation)
        #expect(outcomes.map(\.kind) == [.unreadable])
        #expect(outcomes[0].error?.contains("it sent 6 bytes that are no answer") == true)
    }

    @Test("A helper that does not end with its run is ended", .timeLimit(.minutes(1)))
    func stubborn() throws {
        let listing = try ImageListing(folder: Fixture.path("images/libjpeg-turbo"))
        // The shell holds the socket while the helper works, and sleep holds it afterwards.
        let isolation = DecodeIsolation(
            program: "/bin/sh", arguments: ["-c", "\"$0\" decode-helper; exec sleep 60 2>/dev/null", BuiltProgram.path])
        let here = try outcomes(listing, isolation: nil)
        #expect(try outcomes(listing, isolation: isolation) == here)
    }

    @Test("Where no helper can be started nothing is said of the pictures")
    func noHelper() throws {
        let listing = try ImageListing(folder: Fixture.path("images/libjpeg-turbo"))
        let isolation = DecodeIsolation(program: "/no/such/program", arguments: [])
        let error = #expect(throws: DecodersUnavailable.self) { try outcomes(listing, isolation: isolation) }
        #expect("\(error!)".contains("posix_spawn '/no/such/program': No such file or directory; give it more"))
        let loader = BatchLoader(
            dataset: try ImageFolderDataset(folder: Fixture.path("images/libjpeg-turbo/..")),
            preprocessing: Self.preprocessing, options: .init(batchSize: 2, isolation: isolation))
        loader.begin(epoch: 0)
        #expect(throws: DecodersUnavailable.self) { try loader.next() }
    }

    @Test(
        "A helper can write, make and remove no file",
        .enabled(if: cisolation_landlock_version() > 0, "this kernel has no landlock"))
    func files() throws {
        #expect(try probed().filter { $0.hasPrefix("files:") } == [])
    }

    @Test(
        "A helper can open no socket, start no program, and signal and trace no other process",
        .enabled(if: cisolation_can_refuse_calls() == 1, "this kernel has no filters for system calls"))
    func calls() throws {
        #expect(try probed().filter { $0.hasPrefix("calls:") } == [])
    }

    @Test("A helper has one thread, so that none is left out of what it shuts itself in with")
    func threads() throws {
        #expect(try probed().filter { $0.hasPrefix("threads:") } == [])
    }

    @Test("The probe that finds nothing in a helper finds everything in a process that is not shut in")
    func probe() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write([1], to: "a.jpg")
        let found = Set(String(cString: cisolation_probe(file)).components(separatedBy: ", "))
        let wanted: Set = [
            "files: write a file", "files: make a file", "files: remove a file", "calls: open a socket",
            "calls: run a program", "calls: start a process", "calls: signal the parent", "calls: change a file's mode",
        ]
        #expect(found.isSuperset(of: wanted))
        #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test("A helper finds nothing of the run's environment, such as passwords")
    func environment() throws {
        let folder = try TemporaryFolder()
        try folder.write(Fixture.bytes("images/drawn/420.jpg"), to: "a.jpg")
        // What the shell was given, as the kernel keeps it: it adds variables of its own later. It must not become cat,
        // as it may for its last command.
        let copy = "\(folder.path)/environment"
        let isolation = DecodeIsolation(
            program: "/bin/sh", arguments: ["-c", "cat /proc/$$/environ > \"$0\"; exit 1", copy])
        _ = try outcomes(try ImageListing(folder: folder.path), isolation: isolation)
        let bytes = try #require(FileManager.default.contents(atPath: copy))
        let text = String(decoding: bytes, as: UTF8.self)
        let names = Set(text.split(separator: "\0").map { String($0.prefix { $0 != "=" }) })
        let wanted: Set = ["SWIFT_BACKTRACE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"]
        #expect(names.subtracting(["LD_LIBRARY_PATH"]) == wanted)
        // There was something to withhold.
        #expect(!names.isSuperset(of: ProcessInfo.processInfo.environment.keys))
    }

    @Test("Training batches are the same with helpers")
    func training() throws {
        let folder = try TemporaryFolder()
        for (number, name) in ["444.jpg", "exif6.jpg", "alpha.png", "lossy.webp", "cmyk.jpg"].enumerated() {
            try folder.write(Fixture.bytes("images/drawn/\(name)"), to: "\(number % 2)/\(name)")
        }
        func batches(_ isolation: DecodeIsolation?) throws -> [[Float]] {
            let loader = BatchLoader(
                dataset: try ImageFolderDataset(folder: folder.path), preprocessing: Self.preprocessing,
                augmentation: .photographs, options: .init(batchSize: 2, isolation: isolation))
            loader.begin(epoch: 3)
            var batches: [[Float]] = []
            while let batch = try loader.next() {
                batches.append((0..<batch.count).flatMap { batch.images.values(of: $0) })
            }
            return batches
        }
        #expect(try batches(nil) == batches(Self.helper))
    }

    // MARK: -

    /// What a helper could do that it should not be able to.
    private func probed() throws -> [String] {
        let folder = try TemporaryFolder()
        try folder.write(Fixture.bytes("images/drawn/420.jpg"), to: "a.jpg")
        var isolation = Self.helper
        isolation.arguments += ["--probe-on", "a.jpg"]
        let outcome = try #require(try outcomes(ImageListing(folder: folder.path), isolation: isolation).first)
        let answer = try #require(outcome.error)
        let start = "this could be done: "
        try #require(answer.hasPrefix(start), "\(answer)")
        return answer.dropFirst(start.count).components(separatedBy: ", ").filter { !$0.isEmpty }
    }

    private struct Outcome: Equatable {
        var path: String
        var kind: ImageError.Kind?
        var error: String?
        var width: Int?
        var height: Int?
        var sha256: SHA256Digest?
        var pixels: [Float]
    }

    private func outcomes(
        _ listing: ImageListing, isolation: DecodeIsolation?, threads: Int = 2,
        decoding: DecodingOptions = DecodingOptions()
    ) throws -> [Outcome] {
        let stream = ClassificationStream(
            listing: listing, preprocessing: Self.preprocessing, batchSize: 3, threads: threads, decoding: decoding,
            isolation: isolation)
        var outcomes: [Outcome] = []
        while let batch = try stream.next() {
            for file in batch.files {
                let pixels = file.row.map { batch.images.values(of: $0) }
                outcomes.append(
                    Outcome(
                        path: file.path.description, kind: file.error?.kind, error: file.error?.sentence,
                        width: file.width, height: file.height, sha256: file.sha256, pixels: pixels ?? []))
            }
        }
        return outcomes
    }
}
