internal import Support

/// Long work on single drops, done beside the intake's own steps so that one drop does not hold up the others: at most
/// `width` at a time, the rest in the order in which they came. `Subject` is a drop in the state the work is about.
///
/// A value that belongs to whoever gives the work. Each task must call `finished` at its end, cancelled or not.
struct BackgroundWork<Subject: Hashable> {
    /// Begins the work. The task may block the executor, which is its alone until `finished`.
    typealias Start = (BlockingExecutor) -> Task<Void, Never>

    private var idle: [BlockingExecutor]
    private var running: [Subject: (task: Task<Void, Never>, executor: BlockingExecutor)] = [:]
    private var waiting: [(subject: Subject, start: Start)] = []

    init(label: String, width: Int) {
        idle = (0..<width).map { _ in BlockingExecutor(label: label) }
    }

    func includes(_ subject: Subject) -> Bool {
        running[subject] != nil || waiting.contains { $0.subject == subject }
    }

    /// `subject` must not be included yet.
    mutating func add(_ subject: Subject, start: @escaping Start) {
        precondition(!includes(subject), "work on one drop in one state is given once")
        waiting.append((subject, start))
        startWaiting()
    }

    mutating func finished(_ subject: Subject) {
        guard let (_, executor) = running.removeValue(forKey: subject) else { return }
        idle.append(executor)
        startWaiting()
    }

    /// What waits is dropped, what runs is asked to end and stays until it has.
    mutating func cancel(where isVoid: (Subject) -> Bool) {
        waiting.removeAll { isVoid($0.subject) }
        for (subject, work) in running where isVoid(subject) { work.task.cancel() }
    }

    /// Returns what runs, to be awaited.
    mutating func cancelAll() -> [Task<Void, Never>] {
        cancel { _ in true }
        return running.values.map(\.task)
    }

    private mutating func startWaiting() {
        while !waiting.isEmpty, let executor = idle.popLast() {
            let (subject, start) = waiting.removeFirst()
            running[subject] = (start(executor), executor)
        }
    }
}
