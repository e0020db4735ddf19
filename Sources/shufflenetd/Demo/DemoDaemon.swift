import Foundation
import JobQueue
import Postgres
import Runs
import Subprocess
import SystemPackage

/// Runs `shufflenetd serve` as a child process for as long as the demonstration needs it.
struct DemoDaemon {
    let folders: DemoFolders

    /// Starts the daemon, waits until its queue answers, runs `body`, asks the daemon to stop and waits for that.
    func serving(_ body: @escaping @Sendable (JobStore) async throws -> Void) async throws {
        let log = try FileDescriptor.open(
            FilePath(folders.log), .writeOnly, options: [.create, .truncate],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        let state = folders.state
        var options = PlatformOptions()
        // Whoever stops the demonstration half-way shall not be left with a database server.
        options.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: .seconds(60))]
        let outcome = try await Subprocess.run(
            .path(FilePath(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))),
            arguments: ["serve", "--config", folders.configuration, "--state", state],
            platformOptions: options,
            input: .none, output: .fileDescriptor(log, closeAfterSpawningProcess: false),
            error: .fileDescriptor(log, closeAfterSpawningProcess: true)
        ) { daemon in
            do {
                let store = JobStore(Database(PrivateCluster(state: state).settings))
                try await Self.untilReady(store, daemon: daemon.processIdentifier.value)
                try await body(store)
                await store.database.close()
            } catch {
                try daemon.send(signal: .terminate)
                throw error
            }
            try daemon.send(signal: .terminate)
        }
        guard outcome.terminationStatus.isSuccess else {
            throw RunFailure(.error, "the daemon ended with \(outcome.terminationStatus); its log is \(folders.log)")
        }
    }

    /// Waits until the schema is there and a worker is registered.
    private static func untilReady(_ store: JobStore, daemon: pid_t) async throws {
        for _ in 0..<600 {
            if let rows = try? await store.database.query("SELECT FROM shufflenet.workers"), !rows.isEmpty { return }
            if kill(daemon, 0) != 0 { throw RunFailure(.error, "the daemon ended while it was starting") }
            try await Task.sleep(for: .milliseconds(200))
        }
        throw RunFailure(.error, "the daemon was not ready after two minutes")
    }
}
