import Logging
import Synchronization

@testable import Spool

/// Stands for the queue: one row a unique key, and a stream of what happened for the tests to wait on.
final class RecordingRegistrar: FolderRegistrar {
    struct State {
        var jobs: [String: Int64] = [:]
        var accepted: [AcceptedFolder] = []
        var placed: [Int64: String] = [:]
        var failures = 0
        /// Registrations that were begun, and whether they wait.
        var asked = 0
        var isHeld = false
        var waiters: [Int: (isMet: @Sendable (State) -> Bool, resume: CheckedContinuation<Void, Never>)] = [:]
        var lastWaiter = 0
        /// Messages of the intake's log.
        var log: [String] = []
    }

    struct Unavailable: Error {}

    private let state = Mutex(State())
    private let refusal: Refusal?

    /// Fails the first `failures` registrations like a database that is away; refuses all with `refusal`; lets none
    /// through before `release` if it `isHeld`.
    init(failures: Int = 0, refusal: Refusal? = nil, isHeld: Bool = false) {
        self.refusal = refusal
        state.withLock { state in
            state.failures = failures
            state.isHeld = isHeld
        }
    }

    func release() {
        change { $0.isHeld = false }
    }

    var accepted: [AcceptedFolder] { state.withLock { $0.accepted } }
    var placed: [Int64: String] { state.withLock { $0.placed } }
    var log: [String] { state.withLock { $0.log } }

    func register(_ folder: AcceptedFolder) async throws -> Int64 {
        if let refusal { throw refusal }
        change { $0.asked += 1 }
        await wait { !$0.isHeld }
        return try change { state in
            if state.failures > 0 {
                state.failures -= 1
                throw Unavailable()
            }
            if let job = state.jobs[folder.uniqueKey] { return job }
            let job = Int64(state.jobs.count + 1)
            state.jobs[folder.uniqueKey] = job
            state.accepted.append(folder)
            return job
        }
    }

    func place(job: Int64, folder: String) async throws {
        change { $0.placed[job] = folder }
    }

    func abandon(job: Int64, refusal: Refusal) async throws {}

    func note(_ message: String) {
        change { $0.log.append(message) }
    }

    private func change<Result, Failure: Error>(_ body: (inout State) throws(Failure) -> Result) throws(Failure)
        -> Result
    {
        var due: [CheckedContinuation<Void, Never>] = []
        defer { for continuation in due { continuation.resume() } }
        return try state.withLock { state throws(Failure) in
            defer {
                let snapshot = state
                let met = snapshot.waiters.filter { $0.value.isMet(snapshot) }
                due = met.values.map(\.resume)
                for number in met.keys { state.waiters[number] = nil }
            }
            return try body(&state)
        }
    }

    /// Returns when the condition holds, or when the test is cancelled, which its time limit does.
    func wait(until isMet: @escaping @Sendable (State) -> Bool) async {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state in
                    if isMet(state) || Task.isCancelled { return true }
                    state.waiters[number] = (isMet, continuation)
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume.resume()
        }
    }
}

/// Sends the intake's messages to the registrar's record.
struct RecordingLog: LogHandler {
    let record: RecordingRegistrar
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    init(_ record: RecordingRegistrar) {
        self.record = record
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        record.note("\(event.message) \(event.metadata?["message"]?.description ?? "")")
    }
}
