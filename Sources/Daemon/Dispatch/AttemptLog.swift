import Foundation
import Glibc
import JobQueue
import Runs
import Support

/// The log file of one attempt: the child's standard error, and beside it what its events and the daemon say.
///
/// Both write with O_APPEND, so that lines never overwrite each other.
final class AttemptLog: Sendable {
    let path: String
    private let descriptor: Int32

    /// Opens `<folder>/<job>.<attempt>.log`; an attempt that a drain interrupted goes on in the same file.
    init(folder: String, job: JobID, attempt: Int) throws(SystemError) {
        path = "\(folder)/\(job).\(attempt).log"
        try FileTree.make(folder)
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        if descriptor < 0 { throw SystemError("open", on: path) }
    }

    deinit {
        close(descriptor)
    }

    func write(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        // A full disk must not stop the job whose log this is.
        _ = Glibc.write(descriptor, bytes, bytes.count)
    }

    func note(_ event: RunEvent) {
        switch event {
        case .log(let line): write(line)
        case .result(let result): write(result.summary)
        case .failed(let failure): write("failed (\(failure.reason.rawValue)): \(failure.message)")
        case .started, .progress: break
        }
    }
}
