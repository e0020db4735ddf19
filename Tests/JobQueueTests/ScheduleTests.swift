import Foundation
import JobQueue
import Logging
import Postgres
import TestSupport
import Testing

@Suite struct ScheduleTests {
    private func define(_ queue: QueueFixture, _ change: (inout ScheduleDefinition) -> Void = { _ in }) async throws {
        var definition = ScheduleDefinition(
            name: "nightly", cron: "* * * * *", kind: .train, args: JSONDocument(text: #"{"dataset": "flowers"}"#),
            catchUp: .all, overlap: .allow)
        change(&definition)
        try await queue.store.schedule(definition)
    }

    /// As if no daemon had looked for so long.
    private func rest(_ queue: QueueFixture, _ interval: String) async throws {
        try await queue.database.query(
            "UPDATE shufflenet.schedules SET next_fire_at = date_trunc('minute', clock_timestamp()) - $1::interval",
            [interval])
    }

    @Test func `a new schedule fires nothing of the past, and tells when it will`() async throws {
        let queue = try await QueueFixture.make()
        try await define(queue) {
            $0.cron = "@yearly"
            $0.timeZone = "Europe/Berlin"
        }
        let tick = try await queue.store.tickSchedules()
        #expect(tick.fired.isEmpty)
        let row = try #require(try await queue.store.schedules().first)
        #expect(try #require(row.nextFire) > Date.now)
        // As it was expected before any daemon looked.
        #expect(row.definition.nextFire(after: .now) == row.nextFire)
        #expect(row.definition.timeZone == "Europe/Berlin" && row.note == nil)
    }

    @Test func `eight daemons that tick at once fire every time exactly once`() async throws {
        let queue = try await QueueFixture.make(capacity: 8)
        try await define(queue)
        try await rest(queue, "9 minutes")
        let fired = try await withThrowingTaskGroup(of: [ScheduleTick.Fired].self) { group in
            for _ in 0..<8 { group.addTask { try await queue.store.tickSchedules().fired } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let jobs = try await queue.store.jobs()
        #expect((10...11).contains(jobs.count))
        #expect(Set(jobs.compactMap(\.fireAt)).count == jobs.count)
        #expect(Set(fired.map(\.job)) == Set(jobs.map(\.id)))
        #expect(fired.count == jobs.count)
        #expect(jobs.allSatisfy { $0.scheduleName == "nightly" && $0.name == "nightly" })
    }

    @Test func `books that went back fire nothing again: the row decides`() async throws {
        let queue = try await QueueFixture.make()
        try await define(queue)
        try await rest(queue, "3 minutes")
        let first = try await queue.store.tickSchedules().fired
        try await rest(queue, "3 minutes")
        let again = try await queue.store.tickSchedules().fired
        let all = (first + again).map(\.fireAt)
        #expect(Set(all).count == all.count)
        #expect(again.count <= 1, "at most the minute that began in between")
    }

    @Test(arguments: [(ScheduleDefinition.Overlap.forbid, 1), (.allow, 2), (.replace, 2)])
    func `while the job before is unfinished`(overlap: ScheduleDefinition.Overlap, count: Int) async throws {
        let queue = try await QueueFixture.make()
        try await define(queue) {
            $0.overlap = overlap
            $0.catchUp = .once
        }
        try await rest(queue, "2 hours")
        let first = try #require(try await queue.store.tickSchedules().fired.first)
        let claim = try await queue.claimOne()
        #expect(claim.id == first.job)
        // Another time that nobody fired yet.
        try await queue.database.query("UPDATE shufflenet.jobs SET fire_at = fire_at - interval '1 day'")
        try await rest(queue, "1 minute")
        _ = try await queue.store.tickSchedules()
        #expect(try await queue.store.jobs().count == count)
        #expect(try await queue.store.job(first.job)?.cancelRequested == (overlap == .replace))
        if overlap == .forbid {
            #expect(try await queue.store.schedules().first?.note?.contains("left out") == true)
        }
    }

    @Test func `a schedule that can't work is noted and does not stop the others`() async throws {
        let queue = try await QueueFixture.make()
        try await define(queue)
        try await define(queue) { $0.name = "broken" }
        // As in a row from before the database read all of it.
        for statement in [
            "ALTER TABLE shufflenet.schedules DISABLE TRIGGER schedules_check",
            "UPDATE shufflenet.schedules SET cron = '99 * * * *', next_fire_at = NULL WHERE name = 'broken'",
            "ALTER TABLE shufflenet.schedules ENABLE TRIGGER schedules_check",
        ] { try await queue.database.query(statement) }
        try await queue.database.query(
            "UPDATE shufflenet.schedules SET next_fire_at = now() - interval '1 minute' WHERE name = 'nightly'")
        #expect(try await !queue.store.tickSchedules().fired.isEmpty)
        let broken = try #require(try await queue.store.schedules().first { $0.definition.name == "broken" })
        #expect(broken.note?.contains("minute: found '99'") == true)
        #expect(broken.isGivenUp && broken.expectedFire == nil)
        try await queue.database.query("UPDATE shufflenet.schedules SET cron = '@daily' WHERE name = 'broken'")
        _ = try await queue.store.tickSchedules()
        let mended = try #require(try await queue.store.schedules().first { $0.definition.name == "broken" })
        #expect(mended.note == nil && mended.nextFire != nil)
    }

    @Test func `a schedule for a day that never comes says so`() async throws {
        let queue = try await QueueFixture.make()
        try await define(queue) { $0.cron = "0 0 30 2 *" }
        #expect(try await queue.store.tickSchedules().fired.isEmpty)
        let row = try #require(try await queue.store.schedules().first)
        #expect(row.nextFire == nil && row.note == "it never fires: no month has such a day")
    }

    @Test func `args that are no longer allowed are noted`() async throws {
        let queue = try await QueueFixture.make()
        try await define(queue)
        try await rest(queue, "1 minute")
        try await queue.database.query("DELETE FROM shufflenet.job_arguments WHERE name = 'dataset'")
        #expect(try await queue.store.tickSchedules().fired.isEmpty)
        #expect(try await queue.store.schedules().first?.note?.contains("unknown key") == true)
    }

    /// A job with a number of its own choice, which the next one then gets from the sequence, is such an error.
    @Test func `an error that passes is noted, and the schedule fires at the next look`() async throws {
        let queue = try await QueueFixture.make()
        try await define(queue)
        try await define(queue) { $0.name = "other" }
        try await rest(queue, "0 minutes")
        try await queue.database.query(
            #"INSERT INTO shufflenet.jobs (id, kind, args) VALUES (1, 'train', '{"dataset": "flowers"}')"#)
        let other = try await queue.store.tickSchedules().fired
        #expect(Set(other.map(\.schedule)).count == 1)
        let row = try #require(try await queue.store.schedules().first { $0.note != nil })
        #expect(row.note?.contains("jobs_pkey") == true)
        #expect(!row.isGivenUp && row.expectedFire ?? .distantFuture < Date.now)
        #expect(try await queue.store.tickSchedules().fired.map(\.schedule).contains(row.definition.name))
        #expect(try await queue.store.schedules().allSatisfy { $0.note == nil && !$0.isGivenUp })
    }

    @Test func `what became of a schedule is logged once, with its name`() async throws {
        let queue = try await QueueFixture.make()
        let lines = RecordedLog()
        let store = JobStore(queue.database, logger: Logger(label: "test") { _ in lines })
        try await define(queue)
        try await rest(queue, "1 minute")
        try await queue.database.query("ALTER TABLE shufflenet.jobs ADD CONSTRAINT full_moon CHECK (kind <> 'train')")
        for _ in 0..<2 { #expect(try await store.tickSchedules().fired.isEmpty) }
        #expect(lines.all.count == 1 && lines.all[0].contains("nightly") && lines.all[0].contains("it is tried again"))
        try await queue.database.query("ALTER TABLE shufflenet.jobs DROP CONSTRAINT full_moon")
        try await queue.database.query("DELETE FROM shufflenet.job_arguments WHERE name = 'dataset'")
        for _ in 0..<2 { #expect(try await store.tickSchedules().fired.isEmpty) }
        #expect(lines.all.count == 2 && lines.all[1].contains("nightly") && lines.all[1].contains("given up"))
        #expect(try await store.schedules().first?.isGivenUp == true)
        try await queue.database.query(
            "INSERT INTO shufflenet.job_arguments VALUES ('train', 'dataset', true, true, 'Folder under datasets/.')")
        #expect(try await store.resumeSchedule("nightly"))
        let row = try #require(try await store.schedules().first)
        #expect(!row.isGivenUp && row.note == nil && row.expectedFire ?? .distantPast > Date.now)
    }

    /// Every name that the database has and lets a schedule have is one the daemons can reckon with.
    @Test func `the database's time zones are those of the daemons`() async throws {
        let rows = try await TestDatabase.make().database.query("SELECT name FROM pg_timezone_names")
        let unknown = try rows.map { try $0.decode("name", as: String.self) }
            .filter { TimeZone(identifier: $0) == nil }
        let refused = { (name: String) in
            name.hasPrefix("posix/") || ["localtime", "posixrules"].contains(name)
        }
        #expect(unknown.filter { !refused($0) } == [])
    }

    @Test(arguments: [
        ("cron => 'every night', kind => 'train'", "it has 2 fields, wanted 5"),
        ("cron => '@daily', kind => 'train', time_zone => 'Mars/Olympus'", "unknown time zone 'Mars/Olympus'"),
        ("cron => '@daily', kind => 'train', time_zone => 'posix/Europe/Berlin'", "is not known to the daemons"),
        ("cron => '@daily', kind => 'train', time_zone => 'localtime'", "is not known to the daemons"),
        ("cron => '@daily', kind => 'trian'", "unknown job kind 'trian'"),
    ])
    func `a wrong schedule is refused by the database`(arguments: String, message: String) async throws {
        let queue = try await QueueFixture.make()
        let error = await #expect(throws: PostgresError.self) {
            try await queue.database.query(
                "SELECT shufflenet.schedule('n', \(arguments), args => '{\"dataset\": \"a\"}')")
        }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test func `a disabled schedule rests, and starts from the time it is enabled`() async throws {
        let queue = try await QueueFixture.make()
        try await define(queue) { $0.enabled = false }
        try await rest(queue, "1 hour")
        #expect(try await queue.store.tickSchedules() == ScheduleTick())
        try await define(queue)
        #expect(try await queue.store.tickSchedules().fired.count <= 1)
        #expect(try await queue.store.unschedule("nightly"))
        #expect(try await !queue.store.unschedule("nightly"))
    }

    @Test func `what is not said of a schedule stays as it is, and is the usual for a new one`() async throws {
        let queue = try await QueueFixture.make()
        let args = JSONDocument(text: #"{"dataset": "flowers"}"#)
        let usual = ScheduleDefinition(name: "nightly", cron: "@daily", kind: .train, args: args)
        let made = try await queue.store.schedule(
            ScheduleChange(name: "nightly", cron: "@daily", kind: .train, args: args))
        #expect(made.definition == usual)
        let all = ScheduleDefinition(
            name: "nightly", cron: "@daily", timeZone: "Europe/Berlin", kind: .train,
            args: JSONDocument(text: #"{"dataset": "roses"}"#), catchUp: .once, overlap: .replace, enabled: false,
            queue: "gpu", priority: 7, timeout: .seconds(60))
        try await queue.store.schedule(all)
        var expected = all
        expected.cron = "@weekly"
        let changed = try await queue.store.schedule(ScheduleChange(name: "nightly", cron: "@weekly", kind: .train))
        #expect(changed.definition == expected)
        // By a person with psql likewise.
        try await queue.database.query("SELECT shufflenet.schedule('nightly', '@hourly', 'train', priority => 8)")
        expected.cron = "@hourly"
        expected.priority = 8
        #expect(try await queue.store.schedules().map(\.definition) == [expected])
        expected.timeout = nil
        try await queue.store.schedule(expected)
        #expect(try await queue.store.schedules().map(\.definition) == [expected])
    }

    @Test func `a paused schedule fires nothing until it is resumed, and nothing of the time between`() async throws {
        let queue = try await QueueFixture.make()
        try await define(queue)
        #expect(try await queue.store.pauseSchedule("nightly"))
        #expect(try await !queue.store.pauseSchedule("weekly"))
        try await rest(queue, "1 hour")
        #expect(try await queue.store.tickSchedules() == ScheduleTick())
        #expect(try await queue.store.resumeSchedule("nightly"))
        #expect(try await !queue.store.resumeSchedule("weekly"))
        #expect(try await queue.store.tickSchedules().fired.count <= 1, "at most the minute that began in between")
        #expect(try await queue.store.schedules().first?.nextFire ?? .distantPast > Date.now)
    }
}
