internal import Synchronization

/// The tasks of one round in contiguous shares, one a worker, all of the same length but for one.
final class TaskShares: @unchecked Sendable {
    // Unchecked: the cursors are atomic, their storage is never exchanged.

    /// The next task of a share, on a cache line of its own.
    private struct Cursor: ~Copyable {
        let next = Atomic<Int>(0)
        private let apart: (Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0)
    }

    private let workers: Int
    private let cursors: UnsafeMutablePointer<Cursor>

    init(workers: Int) {
        self.workers = workers
        cursors = .allocate(capacity: workers)
        for worker in 0..<workers { (cursors + worker).initialize(to: Cursor()) }
    }

    deinit {
        cursors.deinitialize(count: workers)
        cursors.deallocate()
    }

    /// To be called while nobody asks for a task.
    func deal(_ count: Int) {
        for worker in 0..<workers { cursors[worker].next.store(worker * count / workers, ordering: .relaxed) }
    }

    /// A task that nobody had in this round: of the worker's own share, or when that is at its end, of the next worker's
    /// that has some.
    func next(of count: Int, for worker: Int) -> Int? {
        for step in 0..<workers {
            let owner = (worker + step) % workers
            let end = (owner + 1) * count / workers
            guard cursors[owner].next.load(ordering: .relaxed) < end else { continue }
            let task = cursors[owner].next.add(1, ordering: .relaxed).oldValue
            if task < end { return task }
        }
        return nil
    }
}
