import Glibc
import Support

/// Holds a state folder for one daemon: flock(2) on `daemon.lock`, which the kernel lets go when the process ends.
public final class StateLock: Sendable {
    public struct Taken: Error, Sendable, CustomStringConvertible {
        public let state: String
        /// The holder's process number, when it could be read.
        public let holder: String

        public var description: String {
            "the state folder '\(state)' is in use by another daemon (process \(holder)): "
                + "stop that one, or give this one a folder of its own with --state"
        }
    }

    private let descriptor: Int32

    /// Throws `Taken` when another process has it, `SystemError` when the folder cannot be written.
    public init(state: String) throws {
        let path = "\(state)/daemon.lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw SystemError("open", on: path) }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            var text = [UInt8](repeating: 0, count: 32)
            let count = max(0, pread(descriptor, &text, text.count, 0))
            close(descriptor)
            if code != EWOULDBLOCK { throw SystemError("flock", on: path, code: code) }
            let holder = String(decoding: text[..<count], as: UTF8.self).filter(\.isNumber)
            throw Taken(state: state, holder: holder.isEmpty ? "unknown" : holder)
        }
        self.descriptor = descriptor
        _ = ftruncate(descriptor, 0)
        let text = Array("\(getpid())\n".utf8)
        _ = pwrite(descriptor, text, text.count, 0)
    }

    deinit {
        close(descriptor)
    }
}
