import JobQueue

/// Carries a child's progress to its row, at most one write a second, the newest value always.
final class ProgressRelay: Sendable {
    private struct Report: Sendable {
        var fraction: Double
        var message: String
    }

    private let continuation: AsyncStream<Report>.Continuation

    /// - Parameter lost: called when the row says that somebody else has the job.
    init(_ lease: Lease, queue: JobStore, every interval: Duration = .seconds(1), lost: @escaping @Sendable () -> Void)
    {
        let (stream, continuation) = AsyncStream.makeStream(of: Report.self, bufferingPolicy: .bufferingNewest(1))
        self.continuation = continuation
        // Not a child of the attempt: a write that hangs must hold up neither the job's end nor the daemon's.
        Task {
            for await report in stream {
                // A write that fails is not missed: the next one carries the newer number.
                if let held = try? await queue.reportProgress(
                    lease, fraction: report.fraction, message: report.message),
                    !held
                {
                    lost()
                    return
                }
                try? await Task.sleep(for: interval)
            }
        }
    }

    func send(fraction: Double, message: String) {
        let clamped = fraction.isFinite ? min(max(fraction, 0), 1) : 0
        continuation.yield(Report(fraction: clamped, message: message))
    }

    func finish() {
        continuation.finish()
    }

    deinit {
        continuation.finish()
    }
}
