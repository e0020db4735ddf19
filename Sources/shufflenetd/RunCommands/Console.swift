import Foundation
import Glibc
import Runs
import Synchronization

/// Shows a run's events to whoever started it by hand: log lines on standard output, and on a terminal one progress
/// line on standard error that is redrawn in place.
final class Console: Sendable {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let progressShown = Mutex(false)

    /// A reader that goes away (`| head`) must not end a training of days.
    init() {
        signal(SIGPIPE, SIG_IGN)
    }

    func show(_ event: RunEvent) {
        switch event {
        case .started:
            break
        case .log(let line):
            clearProgress()
            print(line)
            fflush(nil)
        case .progress(let fraction, let message, let etaSeconds):
            if isTerminal { draw(fraction: fraction, message: message, etaSeconds: etaSeconds) }
        case .result(let result):
            clearProgress()
            print(result.summary)
        case .failed(let failure):
            clearProgress()
            note("shufflenetd: \(failure.message)\n")
        }
    }

    private func draw(fraction: Double, message: String, etaSeconds: Double?) {
        let width = 24
        let filled = Int(fraction * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        let eta = etaSeconds.map { "  ETA \(Self.clock($0))" } ?? ""
        let line = "[\(bar)] \(Int(fraction * 100)) %  \(message)\(eta)"
        progressShown.withLock { shown in
            note("\r\u{1B}[K\(line)")
            shown = true
        }
    }

    private func clearProgress() {
        progressShown.withLock { shown in
            if shown { note("\r\u{1B}[K") }
            shown = false
        }
    }

    private func note(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    private static func clock(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        let parts = [whole / 3600, whole / 60 % 60, whole % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return parts.joined(separator: ":")
    }
}
