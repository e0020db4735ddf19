/// Caps on what one archive may become. The first one passed refuses it.
struct ArchiveLimits: Equatable, Sendable {
    /// Files and folders together.
    var entries: Int
    /// Levels of folders.
    var depth: Int
    /// Sum of the unpacked sizes.
    var bytes: Int64
    /// Unpacked bytes for each packed one; judged once `ratioFloor` bytes are there.
    var ratio: Int
    /// With less free space than this, unpacking is put off.
    var minimumFree: Int64

    /// Small texts pack well and hurt nobody.
    static let ratioFloor: Int64 = 64 << 20

    init(_ limits: FolderLimits, minimumFree: Int64) {
        entries = limits.entries
        depth = limits.depth
        bytes = min(limits.unpackedBytes, limits.bytes)
        ratio = limits.unpackedRatio
        self.minimumFree = minimumFree
    }

    /// For the helper's command line.
    var arguments: [String] {
        ["\(entries)", "\(depth)", "\(bytes)", "\(ratio)", "\(minimumFree)"]
    }

    init?(arguments: [String]) {
        let numbers = arguments.compactMap { Int64($0) }
        guard numbers.count == 5, arguments.count == 5 else { return nil }
        entries = Int(numbers[0])
        depth = Int(numbers[1])
        bytes = numbers[2]
        ratio = Int(numbers[3])
        minimumFree = numbers[4]
    }
}
