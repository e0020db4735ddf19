import TestSupport
import Testing

@testable import ShuffleNet

@Suite(.oneAtATime) struct InferencePlanTests {
    @Test("a batch is cut into tasks of nearly the same size, which keep every thread busy to the end")
    func cuts() {
        for maximumBatch in [1, 3, 4, 32, 256] {
            // Maps at 224 and at 32 px.
            for (secondArea, thirdArea) in [(784, 196), (16, 4)] {
                let plan = InferencePlan(secondArea: secondArea, thirdArea: thirdArea, maximumBatch: maximumBatch)
                #expect(1...maximumBatch ~= plan.task && 1...plan.task ~= plan.second)
                for threads in 1...64 {
                    for images in 1...maximumBatch {
                        let cut = plan.cut(images, threads: threads)
                        let ranges = (0..<cut.tasks).map { cut[$0] }
                        let sizes = ranges.map(\.count)
                        #expect(ranges.flatMap(Array.init) == Array(0..<images))
                        #expect(sizes.max()! <= plan.task && sizes.max()! - sizes.min()! <= 1)
                        if images >= threads { #expect(cut.tasks % threads == 0 || cut.tasks == images) }
                    }
                }
            }
        }
    }
}
