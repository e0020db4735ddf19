internal import Foundation

/// CIFAR-10 in its binary version (https://www.cs.toronto.edu/~kriz/cifar.html): files of records of 3073 bytes, a
/// label and 32 × 32 pixels as red, green and blue planes. The files are mapped, not read.
public struct CIFAR10Dataset: Dataset {
    public enum Part: String, Sendable {
        /// `data_batch_1.bin` to `data_batch_5.bin`, as many as there are.
        case training
        /// `test_batch.bin`.
        case test
    }

    public static let recordBytes = 3073
    public static let side = 32
    static let classNamesFile = "batches.meta.txt"
    /// A hundred times what any list of names needs, in bytes.
    private static let longestClassNames = 1 << 20
    public static let standardClassNames = [
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ]

    public let name: String
    public let classNames: [String]
    public let count: Int
    private let files: [(name: String, mapped: MappedFile, firstRecord: Int)]

    /// Opens one part of the data set in `folder`.
    ///
    /// - Parameter limit: keeps only the first records, in file order.
    /// - Throws: `DatasetError` when the files are missing, cut short, or hold a label that has no class.
    public init(folder: String, part: Part, limit: Int? = nil) throws(DatasetError) {
        let wanted = Self.fileNames(part)
        let present = wanted.filter { FileManager.default.fileExists(atPath: folder + "/" + $0) }
        if present.isEmpty {
            throw DatasetError(
                "CIFAR-10 folder '\(folder)' has no \(wanted.joined(separator: ", ")); unpack the binary version there")
        }
        let place = RawPath(folder).resolved
        classNames = try Self.readClassNames(place)
        name = "\(folder) (\(part.rawValue))"

        var files: [(name: String, mapped: MappedFile, firstRecord: Int)] = []
        var total = 0
        for file in present {
            let mapped = try MappedFile(place.appending(RawPath(file)))
            let bytes = mapped.bytes.count
            guard bytes > 0, bytes % Self.recordBytes == 0 else {
                throw DatasetError(
                    "'\(folder)/\(file)' has \(bytes) bytes, wanted a multiple of \(Self.recordBytes): "
                        + "it is cut short or no CIFAR-10 binary file; fetch it again")
            }
            for record in 0..<bytes / Self.recordBytes {
                let label = Int(mapped.bytes[record * Self.recordBytes])
                if label >= classNames.count {
                    throw DatasetError(
                        "'\(folder)/\(file)' record \(record) has label \(label), "
                            + "wanted 0 to \(classNames.count - 1), for there are \(classNames.count) classes")
                }
            }
            files.append((file, mapped, total))
            total += bytes / Self.recordBytes
        }
        self.files = files
        count = min(limit ?? total, total)
    }

    public func label(at index: Int) -> Int {
        let (file, record) = locate(index)
        return Int(file.mapped.bytes[record * Self.recordBytes])
    }

    public func recordName(at index: Int) -> String {
        let (file, record) = locate(index)
        return "\(file.name)#\(record)"
    }

    public func file(at index: Int) -> RawPath? { nil }

    public func readImage(
        at index: Int, using decoder: ImageDecoder, into image: RGBImage, reduction: (ImageFacts) -> Int
    ) throws(ImageError) -> ImageFacts {
        let (file, record) = locate(index)
        let bytes = UnsafeRawBufferPointer(
            rebasing: file.mapped.bytes[record * Self.recordBytes..<(record + 1) * Self.recordBytes])
        return try Self.unpack(bytes, using: decoder, into: image)
    }

    /// Turns a record's planes into pixels.
    ///
    /// - Parameters:
    ///   - record: `recordBytes` bytes, the first at 0.
    ///   - decoder: left as if it had decoded them.
    static func unpack<Record: RandomAccessCollection<UInt8>>(
        _ record: Record, using decoder: ImageDecoder, into image: RGBImage
    ) throws(ImageError) -> ImageFacts where Record.Index == Int {
        precondition(record.startIndex == 0 && record.count == recordBytes, "a record of \(record.count) bytes")
        decoder.take(open: record, width: side, height: side)
        guard image.reshape(width: side, height: side) else {
            throw ImageError(.tooLarge, "there is no memory for \(side) x \(side) pixels")
        }
        let plane = side * side
        for pixel in 0..<plane {
            for colour in 0..<3 { image.pixels[pixel * 3 + colour] = record[1 + colour * plane + pixel] }
        }
        return ImageFacts(format: .raw, width: side, height: side, orientation: .upright, reduction: 1)
    }

    /// Whether a folder has any file of this data set.
    static func isPresent(in folder: String) -> Bool {
        allFileNames.contains {
            FileManager.default.fileExists(atPath: folder + "/" + $0)
        }
    }

    static func has(_ part: Part, in folder: String) -> Bool {
        fileNames(part).contains { FileManager.default.fileExists(atPath: folder + "/" + $0) }
    }

    static var allFileNames: [String] { fileNames(.training) + fileNames(.test) }

    private static func fileNames(_ part: Part) -> [String] {
        part == .test ? ["test_batch.bin"] : (1...5).map { "data_batch_\($0).bin" }
    }

    /// The ten standard names when the file is not there.
    private static func readClassNames(_ folder: RawPath) throws(DatasetError) -> [String] {
        let path = folder.appending(RawPath(classNamesFile))
        let file = FileBytes()
        do throws(ImageError) {
            try file.read(path, limit: longestClassNames)
        } catch {
            if error.kind == .missing { return standardClassNames }
            throw DatasetError("could not read '\(path)': \(error.sentence)")
        }
        guard let text = String(validating: file.bytes, as: UTF8.self) else {
            throw DatasetError("could not read '\(path)': wanted one class name a line, in UTF-8")
        }
        let names = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
        if names.isEmpty { throw DatasetError("'\(path)' names no class, wanted one class name a line") }
        if Set(names).count != names.count { throw DatasetError("'\(path)' names a class twice") }
        return names
    }

    private func locate(_ index: Int) -> (file: (name: String, mapped: MappedFile, firstRecord: Int), record: Int) {
        precondition(index >= 0 && index < count, "record \(index) of a data set of \(count)")
        let file = files.last { $0.firstRecord <= index }!
        return (file, index - file.firstRecord)
    }
}
