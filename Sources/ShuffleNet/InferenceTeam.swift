import Kernels
import Support

/// Who works on one task's images: the thread that took the task, or the whole pool where tasks are fewer than threads.
///
/// Every output is the same sum in the same order whoever computes it, so the results do not depend on the team.
struct InferenceTeam<Scalar: ActivationScalar> {
    /// Nil: the calling thread alone.
    let pool: ThreadPool?
    /// Each worker's own.
    let scratch: [InferenceScratch<Scalar>]

    /// Narrower stretches of columns are not worth a task of their own.
    private static var narrowest: Int { 64 }

    /// Runs `body(task, scratch)` for every task in `0 ..< count`.
    func run(_ count: Int, _ body: (Int, InferenceScratch<Scalar>) -> Void) {
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
        let line = 64 / MemoryLayout<Scalar>.stride
        let width = ((columns + parts - 1) / parts + line - 1) / line * line
        pool.run(groups * parts) { task, _ in
            let first = task % parts * width
            if first < columns { body(task / parts, first, min(width, columns - first)) }
        }
    }
}

/// One worker's scratch: for a plane, for an image's planes, and for the stem's patches.
struct InferenceScratch<Scalar: ActivationScalar> {
    let plane: UnsafeMutablePointer<Float>
    let image: UnsafeMutablePointer<Float>
    let patches: UnsafeMutablePointer<Scalar>
}
