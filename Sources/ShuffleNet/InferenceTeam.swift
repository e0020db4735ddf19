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

    /// Columns that a product does at a time, in either precision with the widest vectors: two of sixteen. A stretch that
    /// begins elsewhere would end with less than that.
    private static var strip: Int { 32 }

    /// Runs `body(task, scratch)` for every task in `0 ..< count`: a few neighbours at a time, since one can be shorter than
    /// it takes to hand it out.
    func run(_ count: Int, _ body: (Int, InferenceScratch<Scalar>) -> Void) {
        guard let pool else {
            for task in 0..<count { body(task, scratch[0]) }
            return
        }
        let parts = min(count, 8 * pool.threads)
        pool.run(parts) { part, worker in
            let scratch = scratch[worker]
            for task in part * count / parts..<(part + 1) * count / parts { body(task, scratch) }
        }
    }

    /// Runs `body(group, first column, columns)` for stretches of columns of every group: all of them at once for one
    /// thread, some for each thread otherwise, as even as whole strips can be. So they begin at cache lines, too.
    func runProducts(groups: Int, columns: Int, _ body: (Int, Int, Int) -> Void) {
        guard let pool else {
            for group in 0..<groups { body(group, 0, columns) }
            return
        }
        let strip = Self.strip
        let parts = min(2 * pool.threads, (columns + strip - 1) / strip)
        func start(_ part: Int) -> Int {
            part == parts ? columns : (columns * part / parts + strip / 2) / strip * strip
        }
        pool.run(groups * parts) { task, _ in
            let part = task % parts
            let first = start(part)
            body(task / parts, first, start(part + 1) - first)
        }
    }
}

/// One worker's scratch: for a plane, for an image's planes, and for the stem's patches.
struct InferenceScratch<Scalar: ActivationScalar> {
    let plane: UnsafeMutablePointer<Float>
    let image: UnsafeMutablePointer<Float>
    let patches: UnsafeMutablePointer<Scalar>
}
