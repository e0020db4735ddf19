import Glibc
import Support

/// The folder a training run writes into, held by one run at a time.
final class OutputFolder {
    private let descriptor: Int32

    /// Makes the folder where it is missing, and takes an advisory lock on it (flock(2)) until the object goes.
    ///
    /// - Throws: `RunFailure` when it can't be made or another run holds it. A file system without locks on folders is
    ///   taken as it is.
    init(locking path: String) throws(RunFailure) {
        try Self.make(path)
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
            throw .badInput("another run is writing into '\(path)'; wait for its end, or choose another folder")
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Makes a folder and those above it; one that is there is fine.
    static func make(_ path: String) throws(RunFailure) {
        do throws(SystemError) {
            try FileTree.make(path, permissions: 0o777)
        } catch {
            throw failure(error, path)
        }
        var status = stat()
        if path.isEmpty || stat(path, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR {
            throw .badInput("could not make the output folder '\(path)': it is no folder; choose another name")
        }
        if access(path, W_OK | X_OK) != 0 { throw failure(SystemError("access", on: path), path) }
    }

    private static func failure(_ error: SystemError, _ path: String) -> RunFailure {
        if error.meansFullDisk { return RunFailure(wrapping: error) }
        return .badInput("could not make the output folder '\(path)': \(error); choose one that can be written")
    }
}
