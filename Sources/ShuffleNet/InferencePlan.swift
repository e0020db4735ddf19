/// How many images a thread takes through each stage together, and how a batch is cut into tasks of so many.
///
/// Later stages have small maps, so they take more images at a time to keep the products wide; stage 2 and the stem take
/// fewer, to keep their maps in cache. Results do not depend on these numbers: each output is the same sum wherever it is
/// computed.
struct InferencePlan {
    /// Columns that a product should have.
    private static let columns = 784
    /// Images of one task at the most, so that a batch still gives every thread some.
    private static let maximumTask = 32

    /// Images in a task at the most: stages 3 and 4 take all of them together.
    let task: Int
    /// Images that the stem and stage 2 take together.
    let second: Int

    /// - Parameters:
    ///   - secondArea: pixels of the maps of stage 2.
    ///   - thirdArea: and of stage 3.
    init(secondArea: Int, thirdArea: Int, maximumBatch: Int) {
        func images(_ area: Int) -> Int { max(1, Self.columns / area) }
        task = max(1, min(Self.maximumTask, images(thirdArea), maximumBatch))
        second = min(images(secondArea), task)
    }

    /// A batch in tasks that differ by one image at the most.
    struct Cut {
        let images: Int
        let tasks: Int

        /// The images of a task.
        subscript(task: Int) -> Range<Int> { task * images / tasks..<(task + 1) * images / tasks }
    }

    /// As many tasks for each thread; or of fewer images than threads as few as can be, for all threads together.
    func cut(_ images: Int, threads: Int) -> Cut {
        let rounds = (images + task * threads - 1) / (task * threads)
        let tasks = images >= threads ? min(rounds * threads, images) : (images + task - 1) / task
        return Cut(images: images, tasks: tasks)
    }
}
