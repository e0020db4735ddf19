internal import Foundation
internal import Glibc
internal import Subprocess
internal import SystemPackage

/// Runs initdb and pg_ctl as the server's account.
struct ServerControl: Sendable {
    let binaries: ServerBinaries
    let account: ServerAccount
    let folder: String

    /// Makes a data folder: beside its place first, then by one rename, so that a half-made one is never taken for whole.
    func initialise(dataFolder: String, owner: String, fsync: Bool) async throws {
        let unfinished = dataFolder + ".new"
        try? FileManager.default.removeItem(atPath: unfinished)
        try account.own(folder: unfinished, mode: 0o700)
        try await run(
            binaries.initdb,
            [
                "--pgdata", unfinished, "--username", owner, "--auth", "peer", "--encoding", "UTF8", "--locale", "C",
                "--no-instructions",
            ] + (fsync ? [] : ["--no-sync"]), purpose: "make a database cluster in '\(dataFolder)'")
        guard rename(unfinished, dataFolder) == 0 else {
            throw PrivateClusterError(
                "could not rename '\(unfinished)' to '\(dataFolder)': \(String(cString: strerror(errno)))")
        }
    }

    /// Starts the server in a session of its own, and waits until it takes connections.
    func start(dataFolder: String, log: String) async throws {
        do {
            try await run(
                binaries.control,
                ["start", "--pgdata", dataFolder, "--wait", "--timeout", "300", "--silent", "--log", log],
                purpose: "start the database server of '\(dataFolder)'")
        } catch let error as PrivateClusterError {
            let tail = ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n").suffix(5)
            throw PrivateClusterError(
                "\(error)\n\(tail.joined(separator: "\n"))\nSee '\(log)' and the files in '\(folder)/log'.")
        }
    }

    func stop(dataFolder: String, process: pid_t) async throws {
        try await run(
            binaries.control,
            ["stop", "--pgdata", dataFolder, "--mode", "fast", "--wait", "--timeout", "60", "--silent"],
            purpose: "stop the database server (process \(process)) of '\(dataFolder)'")
    }

    private func run(_ program: String, _ arguments: [String], purpose: String) async throws {
        var command = [program] + arguments
        if account.isOther {
            // Not PlatformOptions.userID: swift-subprocess 1.0 calls setgroups and setuid after a bare clone3, where
            // glibc waits for ever for threads that only the parent has. util-linux, and so setpriv, is essential in
            // Debian.
            let change = ["--reuid", String(account.user), "--regid", String(account.group), "--clear-groups", "--"]
            command = ["/usr/bin/setpriv"] + change + command
        }
        var platform = PlatformOptions()
        // A terminal's Ctrl-C is for the daemon, which stops the server in its own time.
        platform.createSession = true
        let result = try await Subprocess.run(
            .path(FilePath(command[0])), arguments: Arguments(Array(command.dropFirst())),
            environment: .inherit.updating(["LC_ALL": "C", "PGDATA": nil, "PGHOST": nil, "PGPORT": nil]),
            workingDirectory: FilePath(folder), platformOptions: platform, output: .discarded,
            error: .string(limit: 64 << 10))
        guard result.terminationStatus.isSuccess else {
            throw PrivateClusterError(
                "could not \(purpose): \(program) ended with \(result.terminationStatus): "
                    + "\(result.standardError.trimmed)")
        }
    }
}
