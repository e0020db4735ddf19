internal import Crypto
internal import Glibc
internal import Support

/// `manifest.sha256`: what sha256sum(1) writes, a file a line. With a size between the two
/// (`<64 hexadecimal digits> <size> <path>`) a file that is still short is told without reading it.
struct FolderManifest: Equatable, Sendable {
    struct Item: Equatable, Sendable {
        let digest: [UInt8]
        let size: Int64?
    }

    /// By path in the folder, in bytes. Paths are only ever compared with the names that are there, never opened.
    private(set) var items: [[UInt8]: Item] = [:]

    init(_ text: [UInt8]) throws(Refusal) {
        for (number, line) in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            var line = Array(line)
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if line.isEmpty { continue }
            let (path, item) = try Self.parse(line, number: number + 1)
            if items.updateValue(item, forKey: path) != nil {
                throw .manifest("line \(number + 1) lists '\(EntryName.escape(path))' a second time")
            }
        }
    }

    private static func parse(_ line: [UInt8], number: Int) throws(Refusal) -> ([UInt8], Item) {
        let malformed = Refusal.manifest("line \(number) is not '<64 hexadecimal digits>  <path>'")
        // sha256sum marks a line whose path has an escaped backslash or newline by a leading backslash.
        let isEscaped = line.first == UInt8(ascii: "\\")
        let body = isEscaped ? line.dropFirst() : line[...]
        let digits = body.prefix(64)
        guard digits.count == 64, body.count > 66, let digest = bytes(ofHexadecimal: digits) else { throw malformed }
        var rest = body.dropFirst(64)
        guard rest.removeFirst() == UInt8(ascii: " ") else { throw malformed }
        var size: Int64?
        if rest.first == UInt8(ascii: " ") || rest.first == UInt8(ascii: "*") {
            rest.removeFirst()
        } else {
            let parts = rest.split(separator: UInt8(ascii: " "), maxSplits: 1)
            guard parts.count == 2, let number = Int64(String(decoding: parts[0], as: UTF8.self)), number >= 0 else {
                throw malformed
            }
            size = number
            rest = parts[1]
        }
        var path = Array(rest)
        if isEscaped { path = unescape(path) }
        while path.starts(with: Array("./".utf8)) { path.removeFirst(2) }
        guard !path.isEmpty else { throw malformed }
        return (path, Item(digest: digest, size: size))
    }

    private static func bytes(ofHexadecimal digits: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var index = digits.startIndex
        while index < digits.endIndex {
            guard let byte = UInt8(String(decoding: digits[index..<(index + 2)], as: UTF8.self), radix: 16),
                digits[index] != UInt8(ascii: "+")
            else { return nil }
            bytes.append(byte)
            index += 2
        }
        return bytes
    }

    private static func unescape(_ path: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < path.count {
            if path[index] == UInt8(ascii: "\\"), index + 1 < path.count {
                result.append(path[index + 1] == UInt8(ascii: "n") ? UInt8(ascii: "\n") : path[index + 1])
                index += 2
            } else {
                result.append(path[index])
                index += 1
            }
        }
        return result
    }

    /// Reads every file once and compares. Throws the first disagreement as a `Refusal`: a listed file that is not
    /// there, one that is there and not listed (`job.yaml` may be either), a size, a checksum.
    func verify(_ folder: FolderHandle, limits: FolderLimits) throws {
        var missing = Set(items.keys)
        let unlisted = Set(ControlFile.all.map { Array($0.utf8) })
        try walk(folder, limits) { entry in
            guard let item = items[entry.path] else {
                if unlisted.contains(entry.path) { return }
                throw Refusal.manifest("'\(EntryName.escape(entry.path))' is not listed")
            }
            missing.remove(entry.path)
            if let size = item.size, size != entry.status.size {
                throw Refusal.manifest(
                    "'\(EntryName.escape(entry.path))' has \(entry.status.size) bytes, \(size) are listed")
            }
        }
        if let path = missing.min(by: { $0.lexicographicallyPrecedes($1) }) {
            throw Refusal.manifest("'\(EntryName.escape(path))' is listed and not there")
        }
        // Only now are bytes read: a copy that is still short was told by its names and sizes.
        try walk(folder, limits) { entry in
            guard let item = items[entry.path], try Self.digest(of: entry.name, in: entry.folder) != item.digest else {
                return
            }
            throw Refusal.manifest("'\(EntryName.escape(entry.path))' has another SHA-256 than the one listed")
        }
    }

    /// Calls `visit` for everything but folders.
    private func walk(
        _ folder: FolderHandle, _ limits: FolderLimits, visit: (FolderWalk.Entry) throws -> Void
    ) throws {
        let walk = FolderWalk(maximumDepth: limits.depth, maximumEntries: limits.entries)
        try walk.run(in: folder) { path, obstacle in
            throw Refusal.obstacle(obstacle, at: path, limits: limits)
        } visit: { entry in
            if entry.status.isFolder { return .goOn }
            guard entry.status.sort == .file else {
                throw Refusal.manifest("'\(EntryName.escape(entry.path))' is no file")
            }
            try visit(entry)
            return .goOn
        }
    }

    /// SHA-256 of a file. Throws ECANCELED when the task was cancelled: a terabyte takes a quarter of an hour.
    static func digest(of name: EntryName, in folder: FolderHandle) throws(SystemError) -> [UInt8] {
        let descriptor = try folder.openFile(name)
        defer { close(descriptor) }
        var hash = SHA256()
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { block.deallocate() }
        while true {
            if Task.isCancelled {
                throw SystemError("read", on: folder.label(of: name), code: ECANCELED)
            }
            let count = read(descriptor, block.baseAddress!, block.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("read", on: folder.label(of: name))
            }
            if count == 0 { return Array(hash.finalize()) }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: block[..<count]))
        }
    }
}
