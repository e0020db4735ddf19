internal import Glibc
internal import Support

/// Tells a folder from any other, also from one that got its numbers after it was removed. Numbers of devices are used
/// again after an unmount, so the time of birth counts.
struct FolderIdentity: Equatable, Sendable {
    var device: UInt64
    var inode: UInt64
    var birth: Int64
}

/// Where the root of a spool lay at start, to tell one that was removed, which is made again, from one whose file system
/// is away, in whose place nothing may be put.
struct SpoolGround: Sendable {
    private let root: String
    private let folder: FolderIdentity
    private let isMountPoint: Bool
    /// The folders above, the nearest first.
    private let above: [FolderIdentity]

    /// As it is now; the root must be there.
    init(root: String) throws(SystemError) {
        self.root = root
        (folder, isMountPoint) = try FolderHandle(path: root).identity()
        var above: [FolderIdentity] = []
        for path in Self.above(root) { above.append(try FolderHandle(path: path).identity().folder) }
        self.above = above
    }

    /// Whether a root without a mark, or none, is what somebody left who removed the spool, or moved it away.
    func isRemoved() throws(SystemError) -> Bool {
        if let root = try FolderHandle.ifPresent(path: root) {
            let found = try root.identity()
            if found.folder == folder { return true }
            // Another one in its place: of the same file system, if neither it is mounted nor was the former one.
            if found.isMountPoint || isMountPoint { return false }
        }
        for (path, former) in zip(Self.above(root), above) {
            if let parent = try FolderHandle.ifPresent(path: path) { return try parent.identity().folder == former }
        }
        return false
    }

    private static func above(_ path: String) -> [String] {
        var paths: [String] = []
        var rest = path[...]
        while let slash = rest.lastIndex(of: "/") {
            rest = rest[..<slash]
            paths.append(rest.isEmpty ? "/" : String(rest))
        }
        return path.hasPrefix("/") ? paths : paths + ["."]
    }
}
