import Foundation
import Support
import Testing

@Suite("Atomic files")
struct AtomicFileTests {
    let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "/atomic-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    @Test("nothing stands under the final name before commit, everything after")
    func commitMakesVisible() throws {
        let path = folder + "/a.txt"
        let file = try AtomicFile(path: path)
        try file.write(String(repeating: "x", count: 200_000))
        #expect(!FileManager.default.fileExists(atPath: path))
        try file.commit()
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 200_000)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.txt"])
    }

    @Test("a file that is dropped leaves the old content and no neighbour")
    func droppedFileLeavesNoTrace() throws {
        let path = folder + "/b.txt"
        try AtomicFile.write("old".utf8, to: path)
        do {
            let file = try AtomicFile(path: path)
            try file.write("new")
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["b.txt"])
    }

    @Test("a copy is whole, of more than one block too, and leaves nothing beside it")
    func copy() throws {
        let bytes = (0..<(1 << 20) + 5).map { UInt8(truncatingIfNeeded: $0 / 7) }
        try AtomicFile.write(bytes, to: folder + "/1.ckpt")
        try AtomicFile.copy(folder + "/1.ckpt", to: folder + "/last.ckpt")
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/last.ckpt")) == Data(bytes))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["1.ckpt", "last.ckpt"])
    }

    @Test("a missing folder is named in the error")
    func missingFolder() {
        let error = #expect(throws: SystemError.self) { try AtomicFile(path: folder + "/none/c.txt") }
        #expect(error?.description.contains("/none/") == true)
    }
}
