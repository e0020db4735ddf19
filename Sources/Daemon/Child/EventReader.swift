import Foundation
import Runs

/// Makes events of a child's standard output. What is no event is counted, never an error: a library that prints to
/// standard output must not cost a night's training.
struct EventReader {
    /// Lines that were no events, and how many of them were too long to look at.
    private(set) var garbage = 0
    /// The event that said how the run ended, the last one if there were several.
    private(set) var result: RunResult?
    private(set) var failure: RunFailure?
    private var lines: LineSplitter
    private let decoder = JSONDecoder()

    init(lineLimit: Int = 1 << 16) {
        lines = LineSplitter(limit: lineLimit)
    }

    /// The garbage seen so far, overlong lines counted too.
    var garbageLines: Int { garbage + lines.overlong }

    mutating func feed(
        _ bytes: UnsafeRawBufferPointer, event: (RunEvent) -> Void, garbage sample: (String) -> Void
    ) {
        var complete: [[UInt8]] = []
        lines.feed(bytes) { complete.append($0) }
        for line in complete { take(line, event: event, garbage: sample) }
    }

    mutating func finish(event: (RunEvent) -> Void, garbage sample: (String) -> Void) {
        var complete: [[UInt8]] = []
        lines.finish { complete.append($0) }
        for line in complete { take(line, event: event, garbage: sample) }
    }

    private mutating func take(_ line: [UInt8], event: (RunEvent) -> Void, garbage sample: (String) -> Void) {
        if line.isEmpty { return }
        guard let read = try? decoder.decode(RunEvent.self, from: Data(line)) else {
            garbage += 1
            sample(String(decoding: line.prefix(200), as: UTF8.self))
            return
        }
        switch read {
        case .result(let value): result = value
        case .failed(let value): failure = value
        case .started, .log, .progress: break
        }
        event(read)
    }
}
