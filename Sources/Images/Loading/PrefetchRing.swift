internal import Foundation
internal import Support

/// What became of one slot of a batch.
struct SlotOutcome: Sendable {
    /// Nil: the slot holds the picture's colours.
    var error: ImageError?
    /// Why nothing can be said of the picture, nor of any other.
    var trouble: DecodersUnavailable?
    var size: (width: Int, height: Int)?
    var sha256: SHA256Digest?
}

/// A batch's memory: `capacity` slots of `elements` bytes, filled by the ring's threads, reused for ever.
final class SlotBatch {
    /// `capacity * elements` bytes, part of the ring's memory.
    let colours: UnsafeMutablePointer<UInt8>
    fileprivate(set) var number = 0
    /// Positions in the pass's order: slot `s` holds record `order[first + s]`.
    fileprivate(set) var first = 0
    fileprivate(set) var count = 0
    fileprivate(set) var outcomes: [SlotOutcome]
    fileprivate var unfinished = 0

    init(capacity: Int, colours: UnsafeMutablePointer<UInt8>) {
        self.colours = colours
        outcomes = [SlotOutcome](repeating: SlotOutcome(), count: capacity)
    }

    /// Throws when the system kept pictures from being decoded.
    func check() throws(DecodersUnavailable) {
        if let trouble = outcomes[..<count].lazy.compactMap(\.trouble).first { throw trouble }
    }

    /// Closes the gaps that failed slots left, so that the pictures that are there lie side by side in slot order.
    /// Returns their number.
    func compact(elements: Int) -> Int {
        var filled = 0
        for slot in 0..<count where outcomes[slot].error == nil {
            if filled != slot {
                (colours + filled * elements).update(from: colours + slot * elements, count: elements)
            }
            filled += 1
        }
        return filled
    }
}

/// Threads that fill batches ahead of their consumer.
///
/// The unit of work is one picture: a thread takes the next slot of the oldest batch that still has one, and goes on
/// into the next batches while a slow picture is being decoded elsewhere, until the ring is full. Which thread fills a
/// slot never shows in its content. Batches are handed out in order.
final class PrefetchRing: @unchecked Sendable {
    // Unchecked: everything that changes is read and written under `condition`, but for the colours of a slot, which
    // belong to the one thread that took it until it reports the outcome.
    typealias Fill = (_ record: Int, _ epoch: Int, _ colours: UnsafeMutablePointer<UInt8>) -> SlotOutcome

    private let condition = NSCondition()
    /// All slots.
    let memory: SharedMemory
    private let batches: [SlotBatch]
    private let elements: Int
    private let batchSize: Int

    private var order: [Int32] = []
    private var epoch = 0
    private var batchCount = 0
    /// The next slot to fill.
    private var nextBatch = 0
    private var nextSlot = 0
    /// The next batch to hand out; those before `released` may be overwritten.
    private var delivered = 0
    private var released = 0
    private var slotsAtWork = 0
    private var threadsAlive = 0
    private var isStopping = false

    /// - Parameter makeFill: called once on each thread with the memory that all slots lie in; what it returns is used
    ///   by that thread only.
    init(
        threads: Int, batchSize: Int, ringBatches: Int, elements: Int,
        makeFill: @escaping @Sendable (SharedMemory) -> Fill
    ) {
        precondition(threads > 0 && batchSize > 0 && ringBatches > 1, "a ring wants threads and at least two batches")
        self.batchSize = batchSize
        self.elements = elements
        let memory = SharedMemory.make(count: ringBatches * batchSize * elements)
        self.memory = memory
        batches = (0..<ringBatches).map {
            SlotBatch(capacity: batchSize, colours: memory.bytes + $0 * batchSize * elements)
        }
        threadsAlive = threads
        for number in 0..<threads {
            let thread = Thread { [self] in work(makeFill(memory)) }
            thread.name = "decode-\(number)"
            thread.start()
        }
    }

    /// Starts a pass over records `order` from batch `firstBatch`; drops what an unfinished pass prefetched.
    func begin(epoch: Int, firstBatch: Int, batchCount: Int, fillOrder: (inout [Int32]) -> Void) {
        condition.lock()
        defer { condition.unlock() }
        self.batchCount = 0
        while slotsAtWork > 0 { condition.wait() }
        self.epoch = epoch
        fillOrder(&order)
        (nextBatch, nextSlot) = (firstBatch, 0)
        (delivered, released) = (firstBatch, firstBatch)
        self.batchCount = batchCount
        condition.broadcast()
    }

    /// The next batch, or nil at the pass's end. It may be read until the next call.
    func next() -> SlotBatch? {
        condition.lock()
        defer { condition.unlock() }
        released = delivered
        condition.broadcast()
        if delivered >= batchCount { return nil }
        let batch = batches[delivered % batches.count]
        while nextBatch <= delivered || batch.unfinished > 0 { condition.wait() }
        delivered += 1
        return batch
    }

    /// The record in a slot of a batch that was handed out.
    func record(_ slot: Int, of batch: SlotBatch) -> Int { Int(order[batch.first + slot]) }

    /// Ends the threads and waits for them.
    func stop() {
        condition.lock()
        isStopping = true
        condition.broadcast()
        while threadsAlive > 0 { condition.wait() }
        condition.unlock()
    }

    private func work(_ fill: Fill) {
        condition.lock()
        while !isStopping {
            guard nextBatch < batchCount, nextBatch < released + batches.count else {
                condition.wait()
                continue
            }
            let batch = batches[nextBatch % batches.count]
            let slot = nextSlot
            if slot == 0 {
                batch.number = nextBatch
                batch.first = nextBatch * batchSize
                batch.count = min(batchSize, order.count - batch.first)
                batch.unfinished = batch.count
            }
            let (record, epoch) = (Int(order[batch.first + slot]), epoch)
            nextSlot += 1
            if nextSlot == batch.count {
                nextBatch += 1
                nextSlot = 0
            }
            slotsAtWork += 1
            condition.unlock()

            let outcome = fill(record, epoch, batch.colours + slot * elements)

            condition.lock()
            batch.outcomes[slot] = outcome
            batch.unfinished -= 1
            slotsAtWork -= 1
            if batch.unfinished == 0 || slotsAtWork == 0 { condition.broadcast() }
        }
        threadsAlive -= 1
        condition.broadcast()
        condition.unlock()
    }
}
