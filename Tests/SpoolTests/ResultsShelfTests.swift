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
        #expect(try shelf.publish(job: 3, token: 1, as: "3") == "\(scratch.path)/results/3")
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

    @Test func `publishing nothing is an error`() throws {
        #expect(throws: SpoolError.missingWork(path: "\(scratch.path)/work/3.9")) {
            try shelf.publish(job: 3, token: 9, as: "3")
        }
    }
}
