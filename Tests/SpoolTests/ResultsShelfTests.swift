import Support
import Testing

@testable import Spool

@Suite struct ResultsShelfTests {
    let scratch = ScratchFolder()
    let shelf: ResultsShelf

    init() throws {
        try scratch.fill("work", [:])
        try scratch.fill("results", [:])
        shelf = ResultsShelf(work: "\(scratch.path)/work", destination: "\(scratch.path)/results")
    }

    func work(_ token: Int64, _ text: String) throws {
        let folder = try shelf.makeWorkFolder(job: 3, token: token)
        try AtomicFile.write(text.utf8, to: "\(folder)/out")
    }

    @Test func `a loser that published first is displaced by the winner`() throws {
        try work(1, "loser")
        try work(2, "winner")
        #expect(try shelf.publish(job: 3, token: 1, as: "3") == .init(path: "\(scratch.path)/results/3"))
        _ = try shelf.publish(job: 3, token: 2, as: "3")
        try shelf.withdraw(job: 3, token: 1, as: "3")
        #expect(scratch.text("results/3/out") == "winner")
        try shelf.sweep(job: 3)
        #expect(scratch.list("work").isEmpty)
    }

    @Test func `a loser that published last withdraws, and the winner's files come back`() throws {
        try work(1, "loser")
        try work(2, "winner")
        _ = try shelf.publish(job: 3, token: 2, as: "3")
        _ = try shelf.publish(job: 3, token: 1, as: "3")
        try shelf.withdraw(job: 3, token: 1, as: "3")
        try shelf.withdraw(job: 3, token: 1, as: "3")
        #expect(scratch.text("results/3/out") == "winner")
        #expect(scratch.text("work/3.1/out") == "loser")
    }

    @Test func `a job that is retried while its earlier attempts are swept keeps the new one's folder`() throws {
        try work(9, "earlier")
        try work(10, "the last that is known to have ended")
        let known = try shelf.attemptsAtWork()
        #expect(known == [3: 10])
        try work(11, "retried")
        try shelf.sweep(job: 3, through: try #require(known[3]))
        #expect(scratch.list("work") == ["3.11"])
    }

    @Test func `the winner puts its files back when the loser never withdrew`() throws {
        try work(1, "loser")
        try work(2, "winner")
        _ = try shelf.publish(job: 3, token: 2, as: "3")
        _ = try shelf.publish(job: 3, token: 1, as: "3")
        try shelf.reinstate(job: 3, token: 2, as: "3")
        try shelf.reinstate(job: 3, token: 2, as: "3")
        #expect(scratch.text("results/3/out") == "winner")
    }

    @Test func `the winner's files come back when the loser died between its two moves`() throws {
        try work(1, "loser")
        try work(2, "winner")
        _ = try shelf.publish(job: 3, token: 2, as: "3")
        var dying = shelf
        dying.afterStep = { if $0 == .displaceLeftover { throw CancellationError() } }
        #expect(throws: CancellationError.self) { try dying.publish(job: 3, token: 1, as: "3") }
        #expect(scratch.list("results").isEmpty)
        try shelf.reinstate(job: 3, token: 2, as: "3")
        #expect(scratch.text("results/3/out") == "winner")
    }

    @Test func `the winner's files come back when an earlier try had moved the loser's away`() throws {
        try work(1, "loser")
        try work(2, "winner")
        _ = try shelf.publish(job: 3, token: 2, as: "3")
        _ = try shelf.publish(job: 3, token: 1, as: "3")
        try scratch.fill("work/3.2.loser", ["out": "of the earlier try"])
        try shelf.reinstate(job: 3, token: 2, as: "3")
        #expect(scratch.text("results/3/out") == "winner")
    }

    @Test func `results under a number that is given out again are kept beside`() throws {
        for (token, kept) in [(Int64(1), nil), (2, "3.earlier"), (3, "3.earlier.1")] {
            try work(token, "\(token)")
            let published = try shelf.publish(job: 3, token: token, as: "3")
            #expect(published.keptAside == kept.map { "\(scratch.path)/results/\($0)" })
            // The job is over, and its number with it.
            try shelf.sweep(job: 3)
        }
        #expect(scratch.text("results/3/out") == "3")
        #expect(scratch.text("results/3.earlier/out") == "1" && scratch.text("results/3.earlier.1/out") == "2")
    }

    @Test func `a folder of results belongs to one database`() throws {
        try shelf.bind(to: "0a-1b")
        try shelf.bind(to: "0a-1b")
        #expect(throws: SpoolError.self) { try shelf.bind(to: "2c-3d") }
        #expect(throws: SpoolError.self) { try ResultsShelf.checkBinding(of: shelf.destination, to: "2c-3d") }
        #expect(throws: Never.self) { try ResultsShelf.checkBinding(of: "\(scratch.path)/nowhere", to: "2c-3d") }
    }

    @Test func `publishing nothing is an error`() throws {
        #expect(throws: SpoolError.missingWork(path: "\(scratch.path)/work/3.9")) {
            try shelf.publish(job: 3, token: 9, as: "3")
        }
    }
}
