internal import CProcess
internal import Glibc

/// A pipe to a program that is started: pipe2(2) with both ends closed on exec from the first moment on. A program that
/// another thread starts meanwhile would inherit the writing end otherwise, and keep the reader waiting until it ends.
///
/// An end belongs to the pipe until it is taken.
public final class SpawnPipe {
    private var readEnd: Int32
    private var writeEnd: Int32

    /// Throws `SystemError` when there are no more descriptors.
    ///
    /// - Parameter subject: what the pipe is for, as the error names it.
    public init(for subject: String) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        if cprocess_pipe(&ends) != 0 { throw SystemError("pipe2", on: subject) }
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    deinit {
        if readEnd >= 0 { close(readEnd) }
        if writeEnd >= 0 { close(writeEnd) }
    }

    public func takeReadEnd() -> Int32 {
        defer { readEnd = -1 }
        return readEnd
    }

    public func takeWriteEnd() -> Int32 {
        defer { writeEnd = -1 }
        return writeEnd
    }
}
