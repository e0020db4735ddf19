internal import Glibc
internal import Support

/// A lock file (flock(2)) that lets one process at a time make or start a cluster. The kernel drops it with the process.
struct ClusterLock {
    private let descriptor: Int32

    init(path: String) async throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SystemError("open", on: path) }
        let began = ContinuousClock.now
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR, ContinuousClock.now - began < .seconds(120) else {
                let code = errno
                close(descriptor)
                throw SystemError("flock", on: path, code: code)
            }
            do {
                try await Task.sleep(for: .milliseconds(20))
            } catch {
                close(descriptor)
                throw error
            }
        }
    }

    func release() { close(descriptor) }
}
