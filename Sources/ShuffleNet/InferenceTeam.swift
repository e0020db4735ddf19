import Support

/// Who works on one task's images: the thread that took the task, or the whole pool where tasks are fewer than threads.
///
/// Every output is the same sum in the same order whoever computes it, so the results do not depend on the team.
struct InferenceTeam {
    /// Nil: the calling thread alone.
    let pool: ThreadPool?
    /// Each worker's own.
    let scratch: [UnsafeMutablePointer<Float>]

    /// Narrower stretches of columns are not worth a task of their own.
    private static let narrowest = 64

    /// Runs `body(task, scratch)` for every task in `0 ..< count`.
    func run(_ count: Int, _ body: (Int, UnsafeMutablePointer<Float>) -> Void) {
        guard let pool else {
            for task in 0..<count { body(task, scratch[0]) }
            return
        }
        pool.run(count) { task, worker in body(task, scratch[worker]) }
    }

    /// Runs `body(group, first column, columns)` for stretches of columns of every group: all of them at once for one
    /// thread, some for each thread otherwise. Stretches begin at whole cache lines.
    func runProducts(groups: Int, columns: Int, _ body: (Int, Int, Int) -> Void) {
        guard let pool else {
            for group in 0..<groups { body(group, 0, columns) }
            return
        }
        let parts = max(1, min(2 * pool.threads, columns / Self.narrowest))
        let width = ((columns + parts - 1) / parts + 15) / 16 * 16
        pool.run(groups * parts) { task, _ in
            let first = task % parts * width
            if first < columns { body(task / parts, first, min(width, columns - first)) }
        }
    }
}
