import CProcess
import Glibc
import Support

/// pipe2(2) with both ends closed on exec. An end belongs to the pipe until it is taken.
final class Pipe {
    private var readEnd: Int32
    private var writeEnd: Int32

    init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        if cprocess_pipe(&ends) != 0 { throw SystemError("pipe2", on: "a child's pipe") }
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    deinit {
        if readEnd >= 0 { close(readEnd) }
        if writeEnd >= 0 { close(writeEnd) }
    }

    func takeReadEnd() -> Int32 {
        defer { readEnd = -1 }
        return readEnd
    }

    func takeWriteEnd() -> Int32 {
        defer { writeEnd = -1 }
        return writeEnd
    }
}
