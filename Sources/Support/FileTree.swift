internal import Foundation
public import Glibc

/// Whole folders by their paths. Blocking: call it off the cooperative pool.
public enum FileTree {
    /// Makes a folder and those above it. Throws `SystemError`.
    public static func make(_ path: String, permissions: mode_t = 0o755) throws(SystemError) {
        if mkdir(path, permissions) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw SystemError("mkdir", on: path)
        }
        try make(String(path[..<slash]), permissions: permissions)
        if mkdir(path, permissions) != 0 && errno != EEXIST { throw SystemError("mkdir", on: path) }
    }

    /// fsync(2) of every file and folder under `path`, so that a rename of it can never show empty files after a crash.
    public static func flush(_ path: String) throws {
        var walked = [path]
        if let names = FileManager.default.enumerator(atPath: path) {
            for case let name as String in names { walked.append("\(path)/\(name)") }
        }
        for entry in walked {
            let descriptor = open(entry, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            // Links and sockets hold no data of their own.
            if descriptor < 0 && (errno == ELOOP || errno == ENXIO) { continue }
            if descriptor < 0 { throw SystemError("open", on: entry) }
            defer { close(descriptor) }
            if fsync(descriptor) != 0 && errno != EINVAL { throw SystemError("fsync", on: entry) }
        }
    }

    /// The entries of a folder, sorted; none when it is not there.
    public static func names(in path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    public static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// Removes a folder and all in it; a missing one is fine.
    public static func remove(_ path: String) throws {
        guard exists(path) else { return }
        try FileManager.default.removeItem(atPath: path)
    }

    /// Free bytes for an unprivileged user on the file system of `path`, or nil when it cannot be asked.
    public static func freeBytes(_ path: String) -> Int64? {
        var status = statvfs()
        return statvfs(path, &status) == 0 ? Int64(status.f_bavail) * Int64(status.f_frsize) : nil
    }
}
