internal import CSpool
internal import Glibc
internal import Support

/// An open folder. Everything in it is reached from the descriptor, one name at a time, and no link is followed on the
/// way: what the handle was opened on stays what it is, however the paths above it are exchanged.
final class FolderHandle: Sendable {
    let descriptor: Int32
    /// For messages.
    let label: String

    /// Opens a folder of the spool itself by its path. Throws `SystemError` for anything but a folder.
    init(path: String) throws(SystemError) {
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        label = path
        if descriptor < 0 { throw SystemError("open", on: path) }
    }

    /// The same; `nil` when there is nothing of that name.
    static func ifPresent(path: String) throws(SystemError) -> FolderHandle? {
        do {
            return try FolderHandle(path: path)
        } catch let error where error.code == ENOENT {
            return nil
        }
    }

    /// Takes an open folder over.
    init(descriptor: Int32, label: String) {
        self.descriptor = descriptor
        self.label = label
    }

    deinit {
        close(descriptor)
    }

    func label(of name: EntryName) -> String { "\(label)/\(name.escaped)" }

    /// Opens a folder in this one; ELOOP or ENOTDIR for a link, EXDEV for a mount point.
    func openFolder(_ name: EntryName) throws(SystemError) -> FolderHandle {
        FolderHandle(
            descriptor: try openBeneath(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), label: label(of: name))
    }

    /// Opens a file in this folder for reading and hands the descriptor over; the caller closes it. O_NONBLOCK, so that
    /// a FIFO put in the file's place cannot hang us.
    func openFile(_ name: EntryName) throws(SystemError) -> Int32 {
        try openBeneath(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
    }

    private func openBeneath(_ name: EntryName, _ flags: Int32) throws(SystemError) -> Int32 {
        var opened = name.withCString { cspool_open_beneath(descriptor, $0, UInt64(flags)) }
        // ENOSYS: a kernel before 5.6. EPERM: the seccomp filter of an old container runtime. `name` is a single
        // component, so that O_NOFOLLOW says the same but for mounts, which the survey sees by their device number.
        if opened < 0, errno == ENOSYS || errno == EPERM {
            opened = name.withCString { openat(descriptor, $0, flags | O_CLOEXEC) }
        }
        if opened < 0 { throw SystemError("openat2", on: label(of: name)) }
        return opened
    }

    /// The names in the folder, sorted by their bytes; `nil` when there are more than `limit`.
    func entries(limit: Int = .max) throws(SystemError) -> [EntryName]? {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if copy < 0 { throw SystemError("open", on: label) }
        guard let stream = fdopendir(copy) else {
            let error = SystemError("fdopendir", on: label)
            close(copy)
            throw error
        }
        defer { closedir(stream) }
        var names: [EntryName] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: UInt8.self, capacity: 1) { first in
                    EntryName(bytes: Array(UnsafeBufferPointer(start: first, count: strlen(first))))
                }
            }
            if name.bytes == [46] || name.bytes == [46, 46] { continue }
            if names.count == limit { return nil }
            names.append(name)
        }
        if errno != 0 { throw SystemError("readdir", on: label) }
        return names.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }

    /// lstat(2); `nil` when there is no such entry.
    func status(of name: EntryName) throws(SystemError) -> FileStatus? {
        var status = stat()
        if name.withCString({ fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }) != 0 {
            if errno == ENOENT { return nil }
            throw SystemError("fstatat", on: label(of: name))
        }
        return FileStatus(status)
    }

    func status() throws(SystemError) -> FileStatus {
        var status = stat()
        if fstat(descriptor, &status) != 0 { throw SystemError("fstat", on: label) }
        return FileStatus(status)
    }

    /// Which folder this is, wherever its path leads by now.
    func identity() throws(SystemError) -> (folder: FolderIdentity, isMountPoint: Bool) {
        var found = cspool_identity()
        if cspool_identity(descriptor, &found) != 0 { throw SystemError("statx", on: label) }
        let folder = FolderIdentity(device: found.device, inode: found.inode, birth: found.birth)
        return (folder, found.is_mounted != 0)
    }

    func exists(_ name: EntryName) throws(SystemError) -> Bool { try status(of: name) != nil }

    /// When the entry was made, in nanoseconds since 1970; `nil` where the file system does not tell.
    func birth(of name: EntryName) -> Int64? {
        var nanoseconds: Int64 = 0
        return name.withCString { cspool_birth(descriptor, $0, &nanoseconds) } == 0 ? nanoseconds : nil
    }

    /// access(2) with the effective user: `mode` is R_OK, W_OK or X_OK.
    func allows(_ mode: Int32, on name: EntryName) -> Bool {
        name.withCString { faccessat(descriptor, $0, mode, AT_EACCESS) } == 0
    }

    /// rename that never replaces: `false` when the new name is taken. Flushes both folders.
    @discardableResult
    func move(_ name: EntryName, to folder: FolderHandle, as newName: EntryName) throws(SystemError) -> Bool {
        let result = name.withCString { old in
            newName.withCString { new in cspool_rename_exclusive(descriptor, old, folder.descriptor, new) }
        }
        if result != 0 {
            if errno == EEXIST || errno == ENOTEMPTY { return false }
            throw SystemError("renameat2", on: "\(label(of: name))' -> '\(folder.label(of: newName))")
        }
        try folder.flush()
        try flush()
        return true
    }

    /// `move`, adding a number to the new name where it is taken (`input`, `input.1`, …). A source that is not there is
    /// fine: another daemon on the same spool was quicker. Returns the name that it got.
    @discardableResult
    func moveBesideOthers(
        _ name: EntryName, to folder: FolderHandle, as newName: EntryName
    ) throws(SystemError) -> EntryName? {
        for number in 0..<1000 {
            guard try exists(name) else { return nil }
            let candidate = number == 0 ? newName : EntryName(bytes: newName.bytes + Array(".\(number)".utf8))
            if try move(name, to: folder, as: candidate) { return candidate }
        }
        throw SystemError("renameat2", on: folder.label(of: newName), code: EEXIST)
    }

    /// mkdir with these permissions, whatever the umask; `false` when the name is taken.
    ///
    /// Where the service manager forbids to set the set-group-id bit (`RestrictSUIDSGID=`), the kernel still hands it
    /// down from the folder above, and the umask decides about the group.
    @discardableResult
    func makeFolder(_ name: EntryName, permissions: mode_t) throws(SystemError) -> Bool {
        if name.withCString({ mkdirat(descriptor, $0, permissions & 0o777) }) != 0 {
            if errno == EEXIST { return false }
            throw SystemError("mkdirat", on: label(of: name))
        }
        if try status(of: name)?.permissions == permissions { return true }
        if name.withCString({ fchmodat(descriptor, $0, permissions, 0) }) != 0,
            errno != EPERM || permissions & S_ISGID == 0
        {
            throw SystemError("fchmodat", on: label(of: name))
        }
        return true
    }

    /// Removes a file, or a folder with all it holds; never follows a link. For work folders only: nothing that a
    /// person dropped is ever removed.
    func removeTree(_ name: EntryName) throws(SystemError) {
        guard let found = try status(of: name) else { return }
        if found.isFolder {
            let folder = try openFolder(name)
            for entry in try folder.entries() ?? [] { try folder.removeTree(entry) }
        }
        if name.withCString({ unlinkat(descriptor, $0, found.isFolder ? AT_REMOVEDIR : 0) }) != 0, errno != ENOENT {
            throw SystemError("unlinkat", on: label(of: name))
        }
    }

    func flush() throws(SystemError) {
        if fsync(descriptor) != 0, errno != EINVAL { throw SystemError("fsync", on: label) }
    }

    func freeBytes() throws(SystemError) -> Int64 {
        var status = statvfs()
        if fstatvfs(descriptor, &status) != 0 { throw SystemError("fstatvfs", on: label) }
        return Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }
}

extension SystemError {
    /// The kernel said: you may not.
    var isDenial: Bool { code == EACCES || code == EPERM }
}
