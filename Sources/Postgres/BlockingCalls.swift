internal import Dispatch

/// Runs blocking C of one session on a thread that may block, so that neither the cooperative pool nor the socket loop has
/// to wait. A serial queue: a concurrent one would share its few threads with the cooperative pool.
struct BlockingCalls {
    private let queue = DispatchQueue(label: "postgres.blocking")

    func run<Value>(_ body: sending @escaping () -> sending Value) async -> sending Value {
        await withUnsafeContinuation { continuation in
            // Called once, and by nobody else; Dispatch's type of closures can't say so.
            nonisolated(unsafe) let body = body
            queue.async { continuation.resume(returning: body()) }
        }
    }
}
