import Checkpoints
import Support
import TestSupport
import Testing

@Suite struct HostileMindSporeFileTests {
    @Test func aFileCutAtAnyByteThrowsOrEndsWithAWholeEntry() throws {
        let entries = SmallCheckpoint.varied.entries
        let bytes = try MindSporeFile.serialized(SmallCheckpoint.varied)
        var readable = 0
        for count in 0..<bytes.count {
            do {
                let found = try MindSporeFile.read(Array(bytes[..<count]))
                #expect(found.entries == Array(entries.prefix(found.entries.count)))
                readable += 1
            } catch {
                #expect(error.file == nil && !error.problem.isEmpty)
            }
        }
        // Without its tail the file is what MindSpore writes without a checksum: one length for each entry.
        #expect(readable == entries.count)
    }

    @Test func anyFlippedBitIsFoundByTheChecksum() throws {
        let bytes = try MindSporeFile.serialized(SmallCheckpoint.varied)
        // From the mark on, a flip makes a file with a tail into one with garbage, which throws as well.
        for position in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[position] ^= 1 << bit
                #expect(throws: CheckpointError.self) { try MindSporeFile.read(damaged) }
            }
        }
    }

    @Test func aDamagedByteInATensorIsCalledDamage() throws {
        var bytes = try MindSporeFile.serialized(Checkpoint(tensors: [SmallCheckpoint.pair]))
        bytes[bytes.count - 18] ^= 1
        let error = try #require(
            #expect(throws: CheckpointError.self) { try MindSporeFile.read(bytes) })
        #expect(error.problem.hasSuffix("it is damaged"))
    }

    @Test(arguments: [
        ("", "the file is empty"),
        // A PyTorch file is a zip archive.
        ("504b0304", "byte 0x50 found at the start, 0x0a wanted: it is damaged, encrypted or no MindSpore checkpoint"),
        ("0a", "the file is truncated at the start"),
        ("0aff", "the file is truncated at the start"),
        (
            "0affffffff07",
            "the file is truncated at the start: an entry of 2147483647 bytes is announced, 0 are left"
        ),
        (
            "0affffffffffffffff7f00",
            "the file is truncated at the start: an entry of 9223372036854775807 bytes is announced, 1 are left"
        ),
        (
            "0affffffffffffffffffff0100",
            "an entry's length takes more than 9 bytes at the start: it is damaged"
        ),
        // {tag: "a"} and {tag: "a", maptensor: {}}
        ("0a030a0161", "the entry 'a' is a map or empty, wanted was a tensor or a text"),
        ("0a050a01611a00", "the entry 'a' is a map or empty, wanted was a tensor or a text"),
        // Extents of -1, of 2^62 twice, a tensor with too few and too many bytes, an unknown type.
        (
            "0a1a0a01611215 08ffffffffffffffffff01 1205496e743332 1a0100",
            "tensor 'a' has the impossible shape [-1]"
        ),
        (
            "0a260a01611221 088080808080808080 40 088080808080808080 40 1205496e7433321a0400000000",
            "tensor 'a' has the impossible shape [4611686018427387904, 4611686018427387904]"
        ),
        (
            "0a130a0161120e 0802 1205496e743332 1a03000000",
            "tensor 'a' has 3 bytes, its shape [2] and type Int32 want 8"
        ),
        (
            "0a150a01611210 0801 1205496e743332 1a050000000000",
            "tensor 'a' has 5 bytes, its shape [1] and type Int32 want 4"
        ),
        ("0a100a0161120b 0801 1204496e7434 1a0100", "tensor 'a' has the unknown type 'Int4'"),
        // Texts: three bytes, a surrogate, a number past Unicode.
        ("0a110a0161120c 0800 1203737472 1a03000000", "text 'a' has 3 bytes, wanted was UTF-32, a multiple of four"),
        ("0a120a0161120d 0800 1203737472 1a0400d80000", "text 'a' holds 55296, which is no Unicode character"),
        ("0a120a0161120d 0800 1203737472 1a0400001100", "text 'a' holds 1114112, which is no Unicode character"),
        // a, b, a
        (
            """
            0a120a0161120d 0800 1203737472 1a0461000000 0a120a0162120d 0800 1203737472 1a0461000000
            0a120a0161120d 0800 1203737472 1a0461000000
            """,
            "the entry 'a' appears twice"
        ),
        // Two slices of one name that disagree about the type.
        (
            "0a120a0161120d 0802 1203496e74 1a0461000000",
            "tensor 'a' has the unknown type 'Int'"
        ),
        (
            "0a140a0161120f 0802 1205496e743332 1a0461000000 0a120a0161120d 0800 1203737472 1a0461000000",
            "a slice of tensor 'a' has shape [0] and type 'str', the slices before it have [2] and 'Int32'"
        ),
    ])
    func hostileBytesThrowASentence(hex: String, problem: String) throws {
        let error = try #require(
            #expect(throws: CheckpointError.self) { try MindSporeFile.read([UInt8](hex: hex)) })
        #expect(error.description == "could not read checkpoint: \(problem)")
    }

    @Test func requiredFieldsAndWellFormedNamesAreWanted() throws {
        // A tensor without content; a name that is not UTF-8; a field cut short inside the entry.
        for hex in ["0a0e0a0161 1209 0801 1205496e743332", "0a040a02ff61", "0a050a0561"] {
            let error = try #require(
                #expect(throws: CheckpointError.self) { try MindSporeFile.read([UInt8](hex: hex)) })
            #expect(error.file == nil)
        }
    }

    @Test func aMillionExtentsAreCountedNotPrinted() throws {
        var value = [UInt8](hex: "0a0161 12")
        let tensor = [UInt8](hex: "1205496e743332 1a0100") + [UInt8](repeating: 0x08, count: 2_000_000)
        value += tensor.count.varint + tensor
        let error = try #require(
            #expect(throws: CheckpointError.self) { try MindSporeFile.read([0x0A] + value.count.varint + value) })
        #expect(error.problem == "tensor 'a' has 1000000 extents, wanted were 64 at most")
    }

    @Test func randomDamageNeverCrashesTheReader() throws {
        let plain = try MindSporeFile.serialized(SmallCheckpoint.varied, checksum: false)
        var generator = SeededGenerator(seed: 11)
        var refused = 0
        for _ in 0..<4000 {
            var bytes = plain
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            do { _ = try MindSporeFile.read(bytes) } catch { refused += 1 }
        }
        #expect(refused > 1000)
    }

    @Test func errorsNameTheFileAsTheCallerDid() throws {
        let error = try #require(
            #expect(throws: CheckpointError.self) { try MindSporeFile.read(path: "/nowhere/m.ckpt") })
        #expect(
            error.description == "could not read checkpoint '/nowhere/m.ckpt': there is no such file")
        try TemporaryFolder.use { folder in
            let error = try #require(
                #expect(throws: CheckpointError.self) { try MindSporeFile.read(path: folder) })
            #expect(
                error.description == "could not read checkpoint '\(folder)': it is not a regular file")
        }
    }

    @Test func namesInErrorsAreShortAndHoldNoControlCharacters() throws {
        let error = CheckpointError("x", file: "a\u{1B}[2J" + String(repeating: "z", count: 500))
        #expect(error.description.hasPrefix("could not read checkpoint 'a\\u{1B}[2Jzzz"))
        #expect(error.description.count < 250)
    }
}

extension Int {
    /// The number as protobuf spells it, seven bits a byte.
    fileprivate var varint: [UInt8] {
        self < 0x80 ? [UInt8(self)] : [UInt8(self & 0x7F) | 0x80] + (self >> 7).varint
    }
}
