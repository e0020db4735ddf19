import Foundation
import Images
import Support
import TestSupport
import Testing

/// What Pillow makes of the pictures among the fixtures, see `images/make_expected.py`.
struct ExpectedPictures: Decodable, Sendable {
    struct Picture: Decodable, Sendable, CustomTestStringConvertible {
        let file: String
        let format: String
        let width: Int
        let height: Int
        let uprightWidth: Int
        let uprightHeight: Int
        let sha256: String

        var testDescription: String { file }
    }

    struct Resized: Decodable, Sendable, CustomTestStringConvertible {
        let file: String
        let width: Int
        let height: Int
        let box: [Double]?
        let rgb: [UInt8]?
        let sha256: String

        var testDescription: String { "\(file) to \(width) x \(height), box \(box ?? [])" }
    }

    let pictures: [Picture]
    let resized: [Resized]

    static let fixture: ExpectedPictures = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(
                ExpectedPictures.self, from: Data(Fixture.bytes("images/expected.json")))
        } catch {
            preconditionFailure("images/expected.json: \(error)")
        }
    }()
}

/// SHA-256 in hexadecimal.
func digest(_ bytes: [UInt8]) -> String {
    bytes.withUnsafeBytes { SHA256Digest(of: $0).description }
}

/// Bytes that look random and are the same in every run.
func noise(_ count: Int, seed: Int) -> [UInt8] {
    var generator = SeededGenerator(seed: UInt64(seed))
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next() >> 40) }
}

/// A folder that goes when the value goes.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/images-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Writes a file below the folder, making the folders above it.
    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = path + "/" + name
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }
}
