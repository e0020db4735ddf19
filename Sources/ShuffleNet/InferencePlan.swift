/// How many images a thread takes through each stage together.
///
/// Later stages have small maps, so they take more images at a time to keep the products wide; earlier ones fewer, to
/// keep their maps in cache. Results do not depend on these numbers: each output is the same sum wherever it is computed.
struct InferencePlan {
    /// Columns that a product should have.
    private static let columns = 784
    /// Images of one task at the most, so that a batch still gives every thread some.
    private static let maximumTask = 32

    /// Images in a task at the most, which is how stage 4 runs; and in stages 3 and 2.
    let task: Int
    let third: Int
    let second: Int

    /// - Parameter areas: pixels of the maps of stages 2, 3 and 4.
    init(areas: [Int], maximumBatch: Int) {
        func images(_ area: Int) -> Int { max(1, Self.columns / area) }
        let fourth = min(Self.maximumTask, max(1, images(areas[1])))
        task = max(1, min(fourth, maximumBatch))
        third = max(1, min(images(areas[1]), task))
        second = max(1, min(images(areas[0]), third))
    }

    /// Images in a task of a batch of `count`, such that every thread has the same number of tasks to do.
    func evenTask(count: Int, threads: Int) -> Int {
        let rounds = (count + task * threads - 1) / (task * threads)
        return (count + rounds * threads - 1) / (rounds * threads)
    }
}
