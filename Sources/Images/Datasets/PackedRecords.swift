/// CIFAR-10's binary files in a folder, whose records are pictures of their own: `test_batch.bin#00017`.
struct PackedRecords: Sendable {
    private var files: [RawPath: PackedFile] = [:]
    /// What is called like one of these files and is none that can be read.
    private var damaged: [RawPath: ImageError] = [:]

    private static let mark = UInt8(ascii: "#")
    /// Of a record's number, so that the order of the names is that of the records.
    private static let digits = 5

    /// - Parameter names: of the files in `folder`, relative to it.
    init(folder: RawPath, among names: [RawPath]) {
        let known = Set(CIFAR10Dataset.allFileNames.map { RawPath($0) })
        for name in names where known.contains(name) {
            // Not to be told from a record then.
            let prefix = name.bytes + [Self.mark]
            if names.contains(where: { $0.bytes.starts(with: prefix) }) { continue }
            do throws(ImageError) {
                files[name] = try PackedFile(folder.appending(name))
            } catch {
                damaged[name] = error
            }
        }
    }

    /// The same names, with those of records in the place of their files'.
    func unpacked(_ names: [RawPath]) -> [RawPath] {
        names.flatMap { name in
            guard let file = files[name] else { return [name] }
            return (0..<file.count).map { record in
                let number = Array("\(record)".utf8)
                let zeros = [UInt8](repeating: UInt8(ascii: "0"), count: Self.digits - number.count)
                return RawPath(bytes: name.bytes + [Self.mark] + zeros + number)
            }
        }
    }

    /// Whether the name is a record's, or a file's that should hold records: `readImage` is for these.
    func contains(_ name: RawPath) -> Bool { damaged[name] != nil || place(name) != nil }

    /// What `Dataset.readImage` says.
    func readImage(_ name: RawPath, using decoder: ImageDecoder, into image: RGBImage) throws(ImageError) -> ImageFacts
    {
        if let error = damaged[name] { throw error }
        guard let (file, record) = place(name) else { preconditionFailure("'\(name)' is no record of these files") }
        return try CIFAR10Dataset.unpack(file.read(record), using: decoder, into: image)
    }

    private func place(_ name: RawPath) -> (file: PackedFile, record: Int)? {
        guard let file = files[RawPath(bytes: name.bytes.dropLast(Self.digits + 1))],
            let record = Int(String(decoding: name.bytes.suffix(Self.digits), as: UTF8.self))
        else { return nil }
        return (file, record)
    }
}
