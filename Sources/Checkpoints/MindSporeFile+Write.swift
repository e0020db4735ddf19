import Foundation
import Support
import SwiftProtobuf

extension MindSporeFile {
    /// Writes a file that appears under its name whole or not at all, one tensor at a time.
    ///
    /// - Parameter checksum: whether the CRC tail is written. MindSpore skips the tail, and compares it when
    ///   `load_checkpoint` is called with `crc_check=True`.
    public static func write(
        _ checkpoint: Checkpoint, to path: String, checksum: Bool = true
    ) throws(CheckpointError) {
        try write(checkpoint, to: path, checksum: checksum, sliceLimit: sliceLimit)
    }

    package static func write(
        _ checkpoint: Checkpoint, to path: String, checksum: Bool = true, sliceLimit: Int
    ) throws(CheckpointError) {
        do {
            let file = try AtomicFile(path: path)
            try serialize(checkpoint, checksum: checksum, sliceLimit: sliceLimit) { piece in
                try piece.withUnsafeBytes { try file.write($0) }
            }
            try file.commit()
        } catch {
            throw CheckpointError(writing: path, error)
        }
    }

    /// The bytes of a file.
    package static func serialized(
        _ checkpoint: Checkpoint, checksum: Bool = true, sliceLimit: Int = sliceLimit
    ) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try serialize(checkpoint, checksum: checksum, sliceLimit: sliceLimit) { bytes += $0 }
        return bytes
    }

    private static func serialize(
        _ checkpoint: Checkpoint, checksum: Bool, sliceLimit: Int, emit: ([UInt8]) throws -> Void
    ) throws {
        precondition(sliceLimit > 0, "slices need room, \(sliceLimit) bytes are none")
        var crc = CRC32()
        for entry in checkpoint.entries {
            let (dims, typeName, bytes) = fields(of: entry)
            var start = 0
            // An empty tensor is one empty slice.
            repeat {
                let end = min(start + sliceLimit, bytes.count)
                var message = MindSporeCheckpoint()
                message.value = [
                    .with {
                        $0.tag = entry.name
                        $0.tensor.dims = dims
                        $0.tensor.tensorType = typeName
                        $0.tensor.tensorContent = Data(bytes[start..<end])
                    }
                ]
                let piece: [UInt8] = try message.serializedBytes()
                if checksum { crc.update(piece) }
                try emit(piece)
                start = end
            } while start < bytes.count
        }
        if checksum {
            let number = withUnsafeBytes(of: UInt64(crc.value).bigEndian) { Array($0) }
            try emit(checksumMark + [0, 0] + number)
        }
    }

    private static func fields(of entry: Checkpoint.Entry) -> (dims: [Int64], typeName: String, bytes: [UInt8]) {
        switch entry {
        case .tensor(let tensor):
            return (tensor.shape.map(Int64.init), tensor.elementType.mindSporeName, tensor.bytes)
        case .text(_, let value):
            // numpy has no text of no characters: '' is one zero.
            let units = value.isEmpty ? [0] : value.unicodeScalars.map { $0.value.littleEndian }
            return ([0], textType, units.withUnsafeBytes { Array($0) })
        }
    }
}
