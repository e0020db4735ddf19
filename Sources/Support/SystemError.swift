public import Glibc

/// A failed system call: which one, on what, and what the kernel said.
///
/// `errno` is read once, in the initialiser, so create it straight after the failing call.
public struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The call as its man page names it, for instance `renameat2`.
    public let call: String
    /// The thing acted on, usually a path.
    public let subject: String
    /// The error number, see errno(3).
    public let code: Int32

    public init(_ call: String, on subject: String, code: Int32 = errno) {
        self.call = call
        self.subject = subject
        self.code = code
    }

    /// Whether a file could not be written for want of room, on the disk or in a quota; some room, and it can be tried
    /// again.
    public var meansFullDisk: Bool { code == ENOSPC || code == EDQUOT }

    public var description: String {
        "\(call) '\(subject)': \(String(cString: strerror(code)))"
    }
}
