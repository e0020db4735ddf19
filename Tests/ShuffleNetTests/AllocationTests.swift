import Glibc
import ShuffleNet
import Support
import TestSupport
import Testing

@Suite(.oneAtATime) struct AllocationTests {
    @Test("After warm-up, steps and runs take no more memory")
    func stepsKeepTheirMemory() async {
        // In a process of its own: the heap's counters are the process's.
        await #expect(processExitsWith: .success) {
            let pixels = 64
            let network = Network(
                configuration: NetworkConfiguration(size: .half, groups: .three, classes: 10), seed: 4)
            let pool = ThreadPool(threads: 2)
            let trainer = Trainer(network: network, pixels: pixels, batch: 4, pool: pool)
            let session = InferenceSession(network: network, pixels: pixels, maximumBatch: 4, pool: pool)
            let images = NetworkTests.images(4, pixels)
            let labels: [Int32] = [0, 1, 2, 3]
            var logits = [Float](repeating: 0, count: 40)
            func work() {
                for count in [4, 3] {
                    _ = trainer.step(images: images, labels: labels, count: count, learningRate: 0.01)
                    session.run(images: images, count: count, logits: &logits)
                }
            }
            for _ in 0..<3 { work() }
            let before = HeapUse.current()
            for _ in 0..<20 { work() }
            let after = HeapUse.current()
            // The runtime may keep some small thing; a buffer of any layer would be many times larger.
            precondition(after - before < 4096, "twenty rounds added \(after - before) bytes")
        }
    }
}

/// The heap's own account of itself: malloc_info(3), which the Glibc module does not show.
private enum HeapUse {
    /// Bytes handed out by malloc(3) in all arenas, large blocks included.
    static func current() -> Int {
        typealias MallocInfo = @convention(c) (Int32, UnsafeMutablePointer<FILE>) -> Int32
        guard let symbol = dlsym(nil, "malloc_info") else { preconditionFailure("glibc has no malloc_info") }
        let mallocInfo = unsafeBitCast(symbol, to: MallocInfo.self)
        var text: UnsafeMutablePointer<CChar>?
        var length = 0
        guard let stream = open_memstream(&text, &length) else { preconditionFailure("open_memstream failed") }
        precondition(mallocInfo(0, stream) == 0, "malloc_info failed")
        fclose(stream)
        defer { free(text) }
        // The sums over all arenas come last.
        let summary = String(cString: text!).split(separator: "</heap>").last.map(String.init) ?? ""
        func size(_ element: String, _ type: String) -> Int {
            guard let start = summary.firstRange(of: "<\(element) type=\"\(type)\"")?.upperBound,
                let key = summary[start...].firstRange(of: "size=\"")?.upperBound
            else { preconditionFailure("malloc_info has no \(element) \(type) in: \(summary)") }
            return Int(summary[key...].prefix { $0.isNumber }) ?? 0
        }
        return size("system", "current") + size("total", "mmap") - size("total", "rest") - size("total", "fast")
    }
}
