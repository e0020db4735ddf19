import Images
import Support

/// What the pictures of a run's batches take, which are decoded ahead.
enum BatchMemory {
    /// A machine that cannot hold them would end the process in the middle of allocating them. Throws `RunFailure` (bad
    /// input).
    ///
    /// - Parameter ringBatches: how many batches the run's loader or stream holds.
    static func check(
        batch: Int, ringBatches: Int, _ preprocessing: Preprocessing, limit: Int = SystemMemory.limit
    ) throws(RunFailure) {
        let needed = batch * ringBatches * preprocessing.elementsPerImage
        guard needed < limit else {
            throw .badInput(
                "a batch of \(batch) pictures of \(preprocessing.pixels) px takes \(needed >> 20) MiB, since "
                    + "\(ringBatches) are decoded ahead, and there are \(limit >> 20) MiB of "
                    + "memory; wanted a smaller batch")
        }
    }
}
