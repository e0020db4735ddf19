import Testing

@testable import Support

@Suite struct TaskSharesTests {
    @Test("A worker has its own share first, in order, then what the others have not begun")
    func order() {
        let shares = TaskShares(workers: 3)
        for _ in 0..<2 {
            shares.deal(8)
            #expect((0..<2).map { _ in shares.next(of: 8, for: 2) } == [5, 6])
            #expect((0..<4).map { _ in shares.next(of: 8, for: 1) } == [2, 3, 4, 7])
            #expect((0..<3).map { _ in shares.next(of: 8, for: 1) } == [0, 1, nil])
            #expect(shares.next(of: 8, for: 0) == nil)
        }
    }

    @Test("Every task is given once, however many workers and tasks there are", arguments: 1...5, [0, 1, 2, 4, 63])
    func once(_ workers: Int, _ count: Int) {
        let shares = TaskShares(workers: workers)
        shares.deal(count)
        var given: [Int] = []
        var worker = 0
        while let task = shares.next(of: count, for: worker % workers) {
            given.append(task)
            worker += 1
        }
        #expect(given.sorted() == Array(0..<count))
    }
}
