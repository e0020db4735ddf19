import Foundation
import JobQueue
import Postgres
import TestSupport
import Testing

@Suite struct FiguresTests {
    @Test("every job that has not completed is counted once, in its queue and state")
    func counts() async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert(5)
        try await queue.database.query(
            """
            UPDATE shufflenet.jobs SET run_at = now() - interval '1 minute' WHERE id = (SELECT min(id) FROM shufflenet.jobs)
            """)
        let first = try await queue.claimOne()
        #expect(try await queue.store.complete(first.lease, result: .emptyObject, outputPath: "o"))
        let second = try await queue.claimOne()
        _ = try await queue.store.fail(second.lease, reason: .badInput, error: "no good")
        _ = try await queue.claimOne()
        try await queue.database.query(
            """
            UPDATE shufflenet.jobs SET run_at = now() - interval '2 hours' WHERE id = (SELECT max(id) FROM shufflenet.jobs)
            """)
        try await queue.database.query(
            """
            INSERT INTO shufflenet.jobs (kind, args, queue, run_at, name)
            VALUES ('train', '{"dataset": "d"}', 'later', now() + interval '1 day', 'tomorrow'),
                ('train', '{"dataset": "d"}', 'lonely', now(), 'nobody''s')
            """)
        try await queue.database.query("SELECT shufflenet.pause_queue('later')")
        let figures = try await queue.store.figures()
        #expect(figures.queues.map(\.name) == ["default", "later", "lonely"])
        let common = try #require(figures.queues.first)
        #expect(common.due == 2 && common.later == 0 && common.running == 1 && common.held == 0 && common.failed == 1)
        #expect(common.oldestDue.map { $0 > .seconds(7190) && $0 < .seconds(7800) } == true)
        #expect(!common.isPaused && !common.isUnserved)
        #expect(figures.queues[1].later == 1 && figures.queues[1].due == 0 && figures.queues[1].isPaused)
        #expect(figures.queues[1].oldestDue == nil)
        #expect(figures.queues[2].due == 1 && figures.queues[2].isUnserved)
        #expect(figures.daemons == 1)
        #expect(figures.running.map(\.kind) == ["train"] && figures.running.map(\.name) == ["flowers"])
        #expect(figures.failures.map(\.error) == ["no good"] && figures.failures.map(\.reason) == ["bad_input"])
        #expect(figures.failures.map(\.id) == [second.id])
    }

    @Test("ended jobs are not read, however many there are")
    func index() async throws {
        let queue = try await QueueFixture.make()
        let plan = try await queue.database.withConnection { connection in
            // On an empty table a scan is always cheapest; where one is to be avoided at any price, it shows what can be.
            try connection.query("SET enable_seqscan = off")
            return try connection.query(
                """
                EXPLAIN SELECT queue, state, count(*) FROM shufflenet.jobs WHERE state IN ('failed', 'held')
                GROUP BY queue, state
                """)
        }
        let text = try plan.map { try $0.decode("QUERY PLAN", as: String.self) }.joined(separator: "\n")
        #expect(text.contains("jobs_unsuccessful"), "\(text)")
    }
}
