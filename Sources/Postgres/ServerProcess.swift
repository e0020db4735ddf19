internal import Foundation
internal import Glibc

/// What is left of, or alive from, an earlier start of a server on a data folder.
struct ServerProcess: Sendable {
    let dataFolder: String

    /// The process in `postmaster.pid`, if it is alive and really a server of this data folder.
    ///
    /// After a kill -9 or a power cut the file stays, and its number may belong to anybody by now.
    var livingPostmaster: pid_t? {
        guard let text = try? String(contentsOfFile: dataFolder + "/postmaster.pid", encoding: .utf8),
            let line = text.split(separator: "\n", omittingEmptySubsequences: false).first, let pid = pid_t(line),
            pid > 0, Self.folder(of: pid) == dataFolder
        else { return nil }
        return pid
    }

    /// Every process whose working folder is the data folder: the server and its children all do that.
    var livingProcesses: [pid_t] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [])
            .compactMap(pid_t.init)
            .filter { Self.folder(of: $0) == dataFolder }
    }

    /// Clears the way after a server died without saying goodbye: waits for orphaned backends (they notice within
    /// moments that their parent is gone), tells them to quit when they linger, and removes the stale pid file.
    ///
    /// The pid file may go only when no process is left: it is what keeps two servers from one data folder.
    func clearRemains() async throws {
        let began = ContinuousClock.now
        while case let orphans = livingProcesses, !orphans.isEmpty {
            let waited = ContinuousClock.now - began
            guard waited < .seconds(20) else {
                throw PrivateClusterError(
                    "processes \(orphans.map(String.init).joined(separator: ", ")) of a dead database server still use "
                        + "'\(dataFolder)'. End them, then start again.")
            }
            if waited > .seconds(2) { for orphan in orphans { kill(orphan, SIGQUIT) } }
            try await Task.sleep(for: .milliseconds(20))
        }
        for name in ["postmaster.pid", "postmaster.opts"] { unlink(dataFolder + "/" + name) }
    }

    private static func folder(of pid: pid_t) -> String? {
        // A zombie has no working folder any more, so it does not count as alive.
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")
    }
}
