import Synchronization

/// What was last said of each subject, so that a thing that is tried again and again is told once.
final class Told<Subject: Hashable & Sendable>: Sendable {
    private let last = Mutex<[Subject: String]>([:])

    /// Whether it was not this text that was last said; from now on it is.
    func isNews(_ text: String, of subject: Subject) -> Bool {
        last.withLock { $0.updateValue(text, forKey: subject) != text }
    }

    /// All is well with it, or it is gone.
    func forget(_ subject: Subject) {
        last.withLock { _ = $0.removeValue(forKey: subject) }
    }
}
