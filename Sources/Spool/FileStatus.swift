internal import Glibc

/// What lstat(2) says of an entry.
struct FileStatus: Equatable, Sendable {
    enum Sort: Equatable, Sendable {
        case folder, file, symbolicLink
        case special(String)
    }

    let sort: Sort
    let device: UInt64
    let inode: UInt64
    let links: Int
    let owner: UInt32
    let permissions: mode_t
    let size: Int64
    /// Nanoseconds since 1970: last change of the content, and of anything (content, mode, name, links).
    let modified: Int64
    let changed: Int64

    init(_ status: stat) {
        sort =
            switch status.st_mode & S_IFMT {
            case S_IFDIR: .folder
            case S_IFREG: .file
            case S_IFLNK: .symbolicLink
            case S_IFIFO: .special("named pipe (FIFO)")
            case S_IFSOCK: .special("socket")
            case S_IFBLK: .special("block device")
            case S_IFCHR: .special("character device")
            default: .special("thing of an unknown sort")
            }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        links = Int(status.st_nlink)
        owner = status.st_uid
        permissions = status.st_mode & 0o7777
        size = Int64(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        changed = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
    }

    var isFolder: Bool { sort == .folder }

    var noun: String {
        switch sort {
        case .folder: "folder"
        case .file: "plain file"
        case .symbolicLink: "symbolic link"
        case .special(let noun): noun
        }
    }
}
