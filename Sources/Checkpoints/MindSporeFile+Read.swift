import Foundation
import SwiftProtobuf

extension MindSporeFile {
    /// Reads a file, and compares its checksum when it has one.
    ///
    /// Throws `CheckpointError` for a file that is missing, truncated, damaged or no MindSpore checkpoint. A file
    /// without checksum that ends between two entries is a valid, shorter file: whoever wants certain entries must ask.
    public static func read(path: String) throws(CheckpointError) -> Checkpoint {
        do throws(CheckpointError) {
            return try read(from: ByteSource(path: path))
        } catch { throw error.naming(path) }
    }

    /// Reads a file's bytes.
    public static func read(_ bytes: [UInt8]) throws(CheckpointError) -> Checkpoint {
        try read(from: ByteSource(bytes))
    }

    private static func read(from source: ByteSource) throws(CheckpointError) -> Checkpoint {
        guard source.remaining > 0 else { throw CheckpointError("the file is empty") }
        let storedChecksum = try takeChecksumTail(of: source)
        var checksum = CRC32()
        var checkpoint = Checkpoint()
        var pending: Slices?
        while source.remaining > 0 {
            let bytes = try nextValue(of: source, after: checkpoint, checksum: &checksum)
            let value = try decode(bytes, after: checkpoint)
            if pending?.name == value.tag {
                try pending?.append(value.tensor)
            } else {
                if let entry = try pending?.joined() { checkpoint.append(entry) }
                if checkpoint.contains(value.tag) {
                    throw CheckpointError("the entry \(value.tag.quoted) appears twice")
                }
                pending = try Slices(name: value.tag, first: value.tensor)
            }
        }
        // First of all the checksum: a damaged last tensor should be called damaged, not mis-sized.
        if let storedChecksum, storedChecksum != UInt64(checksum.value) {
            throw CheckpointError(
                "its bytes have the checksum \(checksum.value), the file says \(storedChecksum): it is damaged")
        }
        if let entry = try pending?.joined() { checkpoint.append(entry) }
        return checkpoint
    }

    /// The checksum at the end, taken off the source; nil when there is none.
    private static func takeChecksumTail(of source: ByteSource) throws(CheckpointError) -> UInt64? {
        guard let tail = try source.tail(checksumTailCount), tail.starts(with: checksumMark) else { return nil }
        source.dropTail(checksumTailCount)
        let number = tail.dropFirst(checksumMark.count)
        // A CRC-32 fills four of the ten bytes; anything above is damage, and compares unequal as the largest number.
        guard number.dropLast(8).allSatisfy({ $0 == 0 }) else { return .max }
        return number.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The bytes of the next `Checkpoint.Value`.
    private static func nextValue(
        of source: ByteSource, after checkpoint: Checkpoint, checksum: inout CRC32
    ) throws(CheckpointError) -> [UInt8] {
        var framing = [try source.takeByte()]
        guard framing[0] == valueKey else {
            throw CheckpointError(
                "byte \(hexadecimal(framing[0])) found \(place(checkpoint)), \(hexadecimal(valueKey)) wanted: "
                    + "it is damaged, encrypted or no MindSpore checkpoint")
        }
        var length: UInt64 = 0
        var shift: UInt64 = 0
        repeat {
            guard source.remaining > 0 else { throw truncated(checkpoint) }
            guard shift < 63 else {
                throw CheckpointError("an entry's length takes more than 9 bytes \(place(checkpoint)): it is damaged")
            }
            let byte = try source.takeByte()
            framing.append(byte)
            length |= UInt64(byte & 0x7F) << shift
            shift += 7
        } while framing.last! & 0x80 != 0
        guard length <= UInt64(source.remaining) else {
            throw truncated(checkpoint, "an entry of \(length) bytes is announced, \(source.remaining) are left")
        }
        guard length < messageLimit else {
            throw CheckpointError("an entry has \(length) bytes, protobuf's limit is \(messageLimit)")
        }
        let bytes = try source.take(Int(length))
        checksum.update(framing)
        checksum.update(bytes)
        return bytes
    }

    private static func decode(
        _ bytes: [UInt8], after checkpoint: Checkpoint
    ) throws(CheckpointError) -> MindSporeCheckpoint.Value {
        let value: MindSporeCheckpoint.Value
        do {
            value = try MindSporeCheckpoint.Value(serializedBytes: bytes)
        } catch {
            throw CheckpointError("no entry can be decoded \(place(checkpoint)) (\(error)): it is damaged")
        }
        guard case .tensor = value.value else {
            throw CheckpointError("the entry \(value.tag.quoted) is a map or empty, wanted was a tensor or a text")
        }
        return value
    }

    private static func truncated(_ checkpoint: Checkpoint, _ detail: String? = nil) -> CheckpointError {
        CheckpointError("the file is truncated \(place(checkpoint))" + (detail.map { ": " + $0 } ?? ""))
    }

    private static func place(_ checkpoint: Checkpoint) -> String {
        checkpoint.entries.last.map { "after the entry \($0.name.quoted)" } ?? "at the start"
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        "0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}

/// The neighbouring values of one name, on their way to an entry.
private struct Slices {
    let name: String
    let dims: [Int64]
    let typeName: String
    var bytes: [UInt8]
    /// The bytes wanted in all; nil for a text, which ends where its last slice ends.
    let wanted: Int?

    init(name: String, first: MindSporeTensorProto) throws(CheckpointError) {
        self.name = name
        dims = first.dims
        typeName = first.tensorType
        bytes = [UInt8](first.tensorContent)
        guard dims.count <= NamedTensor.rankLimit else {
            throw CheckpointError(
                "tensor \(name.quoted) has \(dims.count) extents, wanted were \(NamedTensor.rankLimit) at most")
        }
        if typeName == MindSporeFile.textType {
            wanted = nil
            return
        }
        guard let type = ElementType(mindSporeName: typeName) else {
            throw CheckpointError("tensor \(name.quoted) has the unknown type \(typeName.quoted)")
        }
        guard let count = NamedTensor.byteCount(of: dims.map(Int.init), type) else {
            throw CheckpointError("tensor \(name.quoted) has the impossible shape \(dims)")
        }
        // MindSpore reads the extents [0] as those of a scalar.
        wanted = dims == [0] && !bytes.isEmpty ? type.byteCount : count
        try checkCount()
    }

    mutating func append(_ slice: MindSporeTensorProto) throws(CheckpointError) {
        guard slice.dims == dims, slice.tensorType == typeName else {
            throw CheckpointError(
                "a slice of tensor \(name.quoted) has shape \(slice.dims.prefix(64)) and type "
                    + "\(slice.tensorType.quoted), the slices before it have \(dims) and \(typeName.quoted)")
        }
        bytes += slice.tensorContent
        try checkCount()
    }

    private func checkCount() throws(CheckpointError) {
        if let wanted, bytes.count > wanted { throw wrongCount(wanted) }
    }

    private func wrongCount(_ wanted: Int) -> CheckpointError {
        CheckpointError(
            "tensor \(name.quoted) has \(bytes.count) bytes, its shape \(dims) and type \(typeName) want \(wanted)")
    }

    func joined() throws(CheckpointError) -> Checkpoint.Entry {
        guard let wanted, let type = ElementType(mindSporeName: typeName) else {
            return .text(name: name, value: try text())
        }
        guard bytes.count == wanted else { throw wrongCount(wanted) }
        let shape = dims == [0] && wanted > 0 ? [] : dims.map(Int.init)
        return .tensor(NamedTensor(name: name, shape: shape, elementType: type, bytes: bytes))
    }

    private func text() throws(CheckpointError) -> String {
        guard bytes.count % 4 == 0 else {
            throw CheckpointError(
                "text \(name.quoted) has \(bytes.count) bytes, wanted was UTF-32, a multiple of four")
        }
        var scalars = String.UnicodeScalarView()
        let units = bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map {
                UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self))
            }
        }
        let end = units.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
        for unit in units[..<end] {
            guard let scalar = Unicode.Scalar(unit) else {
                throw CheckpointError("text \(name.quoted) holds \(unit), which is no Unicode character")
            }
            scalars.append(scalar)
        }
        return String(scalars)
    }
}
