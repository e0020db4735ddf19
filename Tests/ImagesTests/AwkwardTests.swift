import Foundation
import Images
import TestSupport
import Testing

/// A row of `images/awkward.tsv`, see `images/make_awkward.py`: the right answer for one odd, broken or hostile file.
struct AwkwardPicture: Sendable, CustomTestStringConvertible {
    let name: String
    let status: String
    let size: (width: Int, height: Int)?
    /// The first digits of the SHA-256 of its upright pixels; empty where nobody knows them for sure.
    let digest: String

    var testDescription: String { name }

    static let all: [AwkwardPicture] = {
        guard let text = try? String(contentsOfFile: Fixture.path("images/awkward.tsv"), encoding: .utf8) else {
            preconditionFailure("images/awkward.tsv cannot be read")
        }
        return text.split(separator: "\n").map { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            precondition(fields.count == 5, "images/awkward.tsv: \(line)")
            var size: (Int, Int)?
            if let width = Int(fields[2]), let height = Int(fields[3]) { size = (width, height) }
            return AwkwardPicture(name: fields[0], status: fields[1], size: size, digest: fields[4])
        }
    }()

    /// The few that are fixtures; with AWKWARD_IMAGES_DIR, which names the whole collection, all of them.
    static let folder =
        ProcessInfo.processInfo.environment["AWKWARD_IMAGES_DIR"] ?? Fixture.path("images/awkward")
    static let present = all.filter { FileManager.default.fileExists(atPath: "\(folder)/\($0.name)") }
}

@Suite("Odd, broken and hostile files")
struct AwkwardTests {
    @Test("The table has an answer for every file of the collection, and some are here")
    func table() {
        #expect(AwkwardPicture.all.count == 907)
        #expect(AwkwardPicture.present.count >= 30)
    }

    @Test("Each has its one right answer", arguments: AwkwardPicture.present)
    func answer(picture: AwkwardPicture) {
        let decoder = ImageDecoder()
        let image = RGBImage()
        var status = "ok"
        var sentence = ""
        do throws(ImageError) {
            try decoder.decode(RawPath("\(AwkwardPicture.folder)/\(picture.name)"), into: image)
        } catch {
            (status, sentence) = (error.kind.rawValue, error.sentence)
        }
        #expect(status == picture.status, "\(sentence)")
        if let size = picture.size {
            #expect(decoder.lastSize?.width == size.width && decoder.lastSize?.height == size.height)
        }
        if status == "ok" && !picture.digest.isEmpty {
            #expect(digest(image.array).hasPrefix(picture.digest))
        }
    }
}
