internal import Glibc

/// Pictures in one folder a class: the class is the folder's exact name, classes are sorted by its bytes, pictures lie
/// at any depth below.
///
/// A file is a record when its content is JPEG, PNG or WebP, or when its name claims to be a picture (a broken `x.jpg` must
/// be counted, not overlooked). Other files, hidden ones and links are left out.
public struct ImageFolderDataset: Dataset {
    public let name: String
    public let classNames: [String]
    /// Files that are no records, relative to the folder, for the log.
    public let ignored: [String]
    private let root: RawPath
    private let records: [(path: RawPath, label: Int32)]

    /// Lists a folder of class folders.
    ///
    /// - Parameter classNames: the classes of a training folder that this one belongs to; each class folder here must
    ///   be among them, and labels refer to them. Nil takes the folders' names.
    /// - Throws: `DatasetError` when the folder is missing or empty, has no class folders, a class folder without
    ///   pictures, or one that is no class.
    public init(folder: String, classNames wanted: [String]? = nil) throws(DatasetError) {
        let root = RawPath(folder).resolved
        let entries: [FolderEntry]
        do throws(FolderListing.Failure) {
            entries = try FolderListing.entries(of: root).filter { !$0.isHidden }
        } catch {
            throw DatasetError("could not open data set '\(folder)': \(error.text)")
        }
        if entries.isEmpty {
            throw DatasetError("data set '\(folder)' is empty, wanted one folder of images for each class")
        }
        if let link = entries.first(where: { $0.kind == .link && root.appending($0.name).isFolder }) {
            throw DatasetError(
                "data set '\(folder)': '\(link.name)' is a symbolic link, and links are not followed; "
                    + "wanted the folder itself there, or a bind mount of it")
        }
        let folders = entries.filter { $0.kind == .folder }
        if folders.isEmpty {
            throw DatasetError(
                "data set '\(folder)' has \(entries.count) files but no class folders; "
                    + "put the images of each class into a folder that has the class's name")
        }
        var names: [String] = []
        for entry in folders {
            guard let name = entry.name.string else {
                let text = SafeText.escaped(path: entry.name)
                throw DatasetError("data set '\(folder)': class folder '\(text)' is not UTF-8; rename it")
            }
            names.append(name)
        }
        let classes = wanted ?? names
        var records: [(path: RawPath, label: Int32)] = []
        var ignored = entries.filter { $0.kind != .folder }.map(\.name.description)
        for (entry, name) in zip(folders, names) {
            // By bytes: to Swift's ==, two folders that differ in Unicode normalisation only are one.
            guard let label = classes.firstIndex(where: { $0.utf8.elementsEqual(name.utf8) }) else {
                throw DatasetError(
                    "data set '\(folder)': '\(SafeText.escaped(name))' is no class of the training images, "
                        + "which are: \(classes.map(SafeText.escaped).joined(separator: ", "))")
            }
            let (before, passed) = (records.count, ignored.count)
            try Self.list(root, entry.name, label: Int32(label), into: &records, ignored: &ignored)
            if records.count == before && wanted == nil {
                throw DatasetError(
                    "data set '\(folder)': class folder '\(SafeText.escaped(name))' holds no images"
                        + (ignored.dropFirst(passed).contains { $0.hasSuffix(Self.linkNote) }
                            ? ", only links, which are not followed" : "")
                        + ", wanted JPEG, PNG or WebP files"
                )
            }
        }
        if records.isEmpty {
            throw DatasetError("data set '\(folder)' holds no images, wanted JPEG, PNG or WebP files")
        }
        self.root = root
        self.name = folder
        self.classNames = classes
        self.ignored = ignored
        self.records = records
    }

    public var count: Int { records.count }
    public func label(at index: Int) -> Int { Int(records[index].label) }
    public func recordName(at index: Int) -> String { records[index].path.description }
    public func file(at index: Int) -> RawPath? { root.appending(records[index].path) }
    /// A record's path relative to the folder, as the kernel has it.
    public func path(at index: Int) -> RawPath { records[index].path }

    public func readImage(
        at index: Int, using decoder: ImageDecoder, into image: RGBImage, reduction: (ImageFacts) -> Int
    ) throws(ImageError) -> ImageFacts {
        try decoder.decode(root.appending(records[index].path), into: image, reduction: reduction)
    }

    private static func list(
        _ root: RawPath, _ folder: RawPath, label: Int32, into records: inout [(path: RawPath, label: Int32)],
        ignored: inout [String]
    ) throws(DatasetError) {
        var found: [RawPath] = []
        var failure: DatasetError?
        FolderListing.walk(root.appending(folder)) { relative, kind in
            let path = folder.appending(relative)
            if kind == .file && isPicture(root.appending(path)) {
                found.append(path)
            } else {
                ignored.append(path.description + (kind == .link ? linkNote : ""))
            }
        } unreadable: { relative, error in
            let place = root.appending(folder).appending(relative)
            failure = failure ?? DatasetError("could not list folder '\(place)': \(error.text)")
        }
        if let failure { throw failure }
        records += found.sorted().map { ($0, label) }
    }

    private static let linkNote = " (a symbolic link)"

    private static let pictureExtensions: Set<String> = [
        "jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff", "heic", "avif",
    ]

    private static func isPicture(_ path: RawPath) -> Bool {
        let name = path.lastPart.bytes
        if let dot = name.lastIndex(of: UInt8(ascii: ".")) {
            let ending = String(decoding: name[(dot + 1)...], as: UTF8.self).lowercased()
            if pictureExtensions.contains(ending) { return true }
        }
        let descriptor = path.openUnlinked(O_RDONLY | O_NONBLOCK)
        // Whoever may not read it shall hear of it when the record is read.
        if descriptor < 0 { return true }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: ImageFormat.sniffedBytes, alignment: 1) { head in
            let got = read(descriptor, head.baseAddress!, head.count)
            let format = ImageFormat(sniffing: UnsafeRawBufferPointer(rebasing: head[0..<max(got, 0)]))
            return format?.isDecoded ?? false
        }
    }
}
