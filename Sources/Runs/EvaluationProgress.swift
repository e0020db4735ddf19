import Foundation
import Glibc
import Images
import Support

/// Where an evaluation stands between two batches: what it needs to end with the same bytes as one never interrupted.
struct EvaluationProgress: Codable {
    /// A hash of everything that decides the figures, but for the pictures themselves.
    var identity: String
    var nextBatch = 0
    /// Images that counted so far.
    var done = 0
    var tally: EvaluationTally
    var unreadable: [UnreadableImage] = []
}

/// Keeps an evaluation's progress in a hidden file of its output folder.
final class EvaluationBookmark {
    /// `.evaluation.partial`
    static let name = ".evaluation.partial"
    private static let interval = Duration.seconds(1)

    private let path: String
    private var kept: ContinuousClock.Instant?

    init(folder: String) {
        path = folder + "/" + Self.name
    }

    /// What an interrupted run of this identity left; nil where there is nothing, or nothing that can be used.
    func take(identity: String) -> EvaluationProgress? {
        guard let data = FileManager.default.contents(atPath: path),
            let progress = try? JSONDecoder().decode(EvaluationProgress.self, from: data),
            progress.identity == identity
        else { return nil }
        return progress
    }

    /// Writes it, but not more often than once a second unless it is the last word.
    func keep(_ progress: EvaluationProgress, last: Bool) throws {
        if let kept, !last, ContinuousClock.now - kept < Self.interval { return }
        try AtomicFile.write(try JSONEncoder().encode(progress), to: path)
        kept = .now
    }

    func remove() {
        unlink(path)
    }
}
