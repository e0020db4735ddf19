internal import Dispatch

/// Runs blocking C on threads that may block, so that neither the cooperative pool nor the socket loop has to wait.
enum BlockingCall {
    private static let queue = DispatchQueue(label: "postgres.blocking", attributes: .concurrent)

    static func run<Value>(_ body: sending @escaping () -> sending Value) async -> sending Value {
        await withUnsafeContinuation { continuation in
            // Called once, and by nobody else; Dispatch's type of closures can't say so.
            nonisolated(unsafe) let body = body
            queue.async { continuation.resume(returning: body()) }
        }
    }
}
