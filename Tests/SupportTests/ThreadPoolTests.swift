import Support
import Synchronization
import Testing

private final class Counter: Sendable {
    let value = Atomic<Int>(0)
}

@Suite struct ThreadPoolTests {
    @Test("Every task runs exactly once, on a worker the pool has", arguments: 1...4, [0, 1, 2, 7, 1000])
    func everyTaskRunsOnce(_ threads: Int, _ count: Int) {
        let pool = ThreadPool(threads: threads)
        let runs = AlignedBuffer<Int>(count: count)
        let strangers = Atomic<Int>(0)
        for _ in 0..<20 {
            pool.run(count) { task, worker in
                runs.pointer[task] += 1
                if worker < 0 || worker >= pool.threads { strangers.add(1, ordering: .relaxed) }
            }
        }
        #expect(runs.array == [Int](repeating: 20, count: count))
        #expect(strangers.load(ordering: .relaxed) == 0)
    }

    @Test("Two tasks never share a worker at the same time")
    func workersAreExclusive() {
        let pool = ThreadPool(threads: 3)
        let busy = AlignedBuffer<Int>(count: 3)
        let clashes = Atomic<Int>(0)
        pool.run(500) { _, worker in
            if busy.pointer[worker] != 0 { clashes.add(1, ordering: .relaxed) }
            busy.pointer[worker] = 1
            busy.pointer[worker] = 0
        }
        #expect(clashes.load(ordering: .relaxed) == 0)
    }

    @Test("A second caller waits for its turn")
    func callersTakeTurns() async {
        let pool = ThreadPool(threads: 2)
        let total = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<50 { pool.run(10) { _, _ in total.value.add(1, ordering: .relaxed) } }
                }
            }
        }
        #expect(total.value.load(ordering: .relaxed) == 2000)
    }

    @Test("Many small rounds and many short-lived pools come to an end")
    func roundsEnd() {
        for threads in [1, 2, 5] {
            let pool = ThreadPool(threads: threads)
            let total = Atomic<Int>(0)
            for _ in 0..<2000 { pool.run(3) { _, _ in total.add(1, ordering: .relaxed) } }
            #expect(total.load(ordering: .relaxed) == 6000)
        }
        for _ in 0..<100 { ThreadPool(threads: 3).run(2) { _, _ in } }
    }
}
