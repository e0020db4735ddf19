import Foundation
import Support

/// The safetensors format: eight bytes of little-endian header length, a JSON header, then the tensors' bytes.
///
/// Source: https://github.com/huggingface/safetensors (section "Format"). The rules that keep a file unambiguous are
/// enforced on reading: the tensors tile the data without a hole or an overlap, in the order of their offsets.
public enum SafeTensors {
    /// The longest header the reference implementation accepts.
    static let headerLimit = 100_000_000

    /// Reads a file. Texts are the lines of `__metadata__`, sorted by name; tensors come in the order of the data.
    public static func read(path: String) throws(CheckpointError) -> Checkpoint {
        do throws(CheckpointError) {
            let source = try ByteSource(path: path)
            return try read(from: source)
        } catch { throw error.naming(path) }
    }

    /// Reads a file's bytes.
    public static func read(_ bytes: [UInt8]) throws(CheckpointError) -> Checkpoint {
        try read(from: ByteSource(bytes))
    }

    private static func read(from source: ByteSource) throws(CheckpointError) -> Checkpoint {
        guard source.remaining >= 8 else {
            throw CheckpointError("a safetensors file starts with 8 bytes of length, found were \(source.remaining)")
        }
        let length = try source.take(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(min(source.remaining, headerLimit)) else {
            throw CheckpointError(
                "the safetensors header claims \(length) bytes, found were \(source.remaining): truncated, or not a "
                    + "safetensors file")
        }
        let header: [String: HeaderLine]
        do {
            let json = try source.take(Int(length))
            header = try JSONDecoder().decode([String: HeaderLine].self, from: Data(json))
        } catch {
            throw CheckpointError("the safetensors header is not the JSON object wanted: \(sentence(error))")
        }
        var checkpoint = Checkpoint()
        var lines: [(name: String, line: HeaderLine.Tensor)] = []
        for (name, line) in header {
            switch line {
            case .tensor(let tensor): lines.append((name, tensor))
            case .metadata(let texts) where name == "__metadata__":
                for (name, value) in texts.sorted(by: { $0.key < $1.key }) { checkpoint.append(value, named: name) }
            case .metadata: throw CheckpointError("tensor \(name.quoted) has no dtype, shape and data_offsets")
            }
        }
        // An empty tensor begins where its successor begins, so the end decides too.
        lines.sort { ($0.line.begin, $0.line.end, $0.name) < ($1.line.begin, $1.line.end, $1.name) }
        let dataCount = source.remaining
        for (name, line) in lines {
            guard let type = ElementType(safeTensorsName: line.dtype) else {
                throw CheckpointError("tensor \(name.quoted) has the unknown dtype \(line.dtype.quoted)")
            }
            guard line.shape.count <= NamedTensor.rankLimit else {
                throw CheckpointError(
                    "tensor \(name.quoted) has \(line.shape.count) extents, wanted were \(NamedTensor.rankLimit) at most"
                )
            }
            guard let wanted = NamedTensor.byteCount(of: line.shape, type) else {
                throw CheckpointError("tensor \(name.quoted) has the impossible shape \(line.shape)")
            }
            guard line.begin == dataCount - source.remaining, line.end - line.begin == wanted else {
                throw CheckpointError(
                    "tensor \(name.quoted) of shape \(line.shape) and type \(type) lies at \(line.begin)..<\(line.end)"
                        + ", wanted were \(wanted) bytes at \(dataCount - source.remaining)")
            }
            guard wanted <= source.remaining else {
                throw CheckpointError(
                    "tensor \(name.quoted) has \(wanted) bytes, \(source.remaining) are left: the file is truncated")
            }
            if checkpoint.contains(name) {
                throw CheckpointError("\(name.quoted) names a tensor and a line of __metadata__")
            }
            let bytes = try source.take(wanted)
            checkpoint.append(NamedTensor(name: name, shape: line.shape, elementType: type, bytes: bytes))
        }
        guard source.remaining == 0 else {
            throw CheckpointError("\(source.remaining) bytes follow the last tensor")
        }
        return checkpoint
    }

    /// Writes a file that appears whole or not at all.
    public static func write(_ checkpoint: Checkpoint, to path: String) throws(CheckpointError) {
        do {
            let file = try AtomicFile(path: path)
            let header = try header(of: checkpoint)
            try file.write(withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) })
            try file.write(header)
            for tensor in checkpoint.tensors {
                try tensor.bytes.withUnsafeBytes { try file.write($0) }
            }
            try file.commit()
        } catch {
            throw CheckpointError(writing: path, error)
        }
    }

    /// The JSON header, padded with spaces to a multiple of eight so that the data is aligned.
    ///
    /// Spelled here and not by an encoder, because MindSpore wants the tensors listed in the order of their data.
    private static func header(of checkpoint: Checkpoint) throws -> [UInt8] {
        var texts: [String] = []
        var lines: [String] = []
        var offset = 0
        for entry in checkpoint.entries {
            switch entry {
            case .text(let name, let value): texts.append("\(try json(name)):\(try json(value))")
            case .tensor(let tensor):
                let shape = tensor.shape.map(String.init).joined(separator: ",")
                let end = offset + tensor.bytes.count
                lines.append(
                    #"\#(try json(tensor.name)):{"dtype":"\#(tensor.elementType.safeTensorsName)","shape":[\#(shape)],"#
                        + #""data_offsets":[\#(offset),\#(end)]}"#)
                offset = end
            }
        }
        if !texts.isEmpty { lines.insert(#""__metadata__":{\#(texts.joined(separator: ","))}"#, at: 0) }
        var header = [UInt8]("{\(lines.joined(separator: ","))}".utf8)
        header += [UInt8](repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
        return header
    }

    private static func json(_ text: String) throws -> String {
        String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
    }
}

/// One value of the header's object.
private enum HeaderLine: Decodable {
    struct Tensor: Decodable {
        let dtype: String
        let shape: [Int]
        let begin: Int
        let end: Int

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case offsets = "data_offsets"
        }

        init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            dtype = try keys.decode(String.self, forKey: .dtype)
            shape = try keys.decode([Int].self, forKey: .shape)
            let offsets = try keys.decode([Int].self, forKey: .offsets)
            guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0] else {
                throw DecodingError.dataCorruptedError(
                    forKey: .offsets, in: keys, debugDescription: "data_offsets \(offsets) are not a range")
            }
            (begin, end) = (offsets[0], offsets[1])
        }
    }

    case tensor(Tensor)
    case metadata([String: String])

    init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: Tensor.CodingKeys.self)
        // A line of metadata may be called "dtype" too; only a tensor has all three.
        if keys.contains(.dtype), keys.contains(.shape), keys.contains(.offsets) {
            self = .tensor(try Tensor(from: decoder))
        } else {
            self = .metadata(try [String: String](from: decoder))
        }
    }
}

/// What an error says, in one line for a user.
func sentence(_ error: any Error) -> String {
    guard let decoding = error as? DecodingError else { return "\(error)" }
    switch decoding {
    case .dataCorrupted(let context), .keyNotFound(_, let context), .typeMismatch(_, let context),
        .valueNotFound(_, let context):
        let place = context.codingPath.map(\.stringValue).joined(separator: ".")
        return place.isEmpty ? context.debugDescription : "\(place.quoted): \(context.debugDescription)"
    @unknown default: return "\(error)"
    }
}
