import Foundation
import JobQueue
import Postgres
import Testing

@Suite struct CronExpressionTests {
    private func date(_ text: String) throws -> Date {
        try Date(text + ":00Z", strategy: .iso8601)
    }

    private func fires(_ cron: String, after: String, zone: String = "UTC", count: Int = 1) throws -> [String] {
        let expression = try CronExpression(cron)
        let timeZone = try #require(TimeZone(identifier: zone))
        var time = try date(after)
        var result: [String] = []
        for _ in 0..<count {
            guard let next = expression.nextFire(after: time, in: timeZone) else { break }
            result.append(String(next.formatted(.iso8601).prefix(16)))
            time = next
        }
        return result
    }

    @Test(arguments: [
        ("* * * * *", "2026-01-01T00:00", ["2026-01-01T00:01", "2026-01-01T00:02"]),
        ("*/15 * * * *", "2026-01-01T00:50", ["2026-01-01T01:00", "2026-01-01T01:15"]),
        (
            "5-20/5,50 3 * * *", "2026-01-01T03:11",
            ["2026-01-01T03:15", "2026-01-01T03:20", "2026-01-01T03:50", "2026-01-02T03:05"]
        ),
        ("30 2 * * *", "2026-12-31T02:30", ["2027-01-01T02:30"]),
        ("0 0 31 * *", "2026-01-31T00:00", ["2026-03-31T00:00", "2026-05-31T00:00"]),
        ("0 0 29 2 *", "2024-02-29T00:00", ["2028-02-29T00:00"]),
        ("0 0 29 2 *", "2096-03-01T00:00", ["2104-02-29T00:00"]),
        // Either of the two day fields, when both are restricted.
        (
            "0 0 13 * fri", "2026-02-10T00:00",
            ["2026-02-13T00:00", "2026-02-20T00:00", "2026-02-27T00:00", "2026-03-06T00:00", "2026-03-13T00:00"]
        ),
        // Both, when one begins with a star.
        ("0 0 */2 * mon", "2026-02-01T00:00", ["2026-02-09T00:00", "2026-02-23T00:00"]),
        ("0 0 * * 0", "2026-02-01T00:00", ["2026-02-08T00:00"]),
        ("0 0 * * 7", "2026-02-01T00:00", ["2026-02-08T00:00"]),
        (
            "0 0 * * 5-7", "2026-02-05T00:00",
            ["2026-02-06T00:00", "2026-02-07T00:00", "2026-02-08T00:00", "2026-02-13T00:00"]
        ),
        ("0 12 * JAN,jul Mon-Tue", "2026-01-27T12:00", ["2026-07-06T12:00", "2026-07-07T12:00"]),
        ("@hourly", "2026-01-01T00:00", ["2026-01-01T01:00"]),
        ("@daily", "2026-01-01T00:00", ["2026-01-02T00:00"]),
        ("@midnight", "2026-01-01T12:00", ["2026-01-02T00:00"]),
        ("@weekly", "2026-01-01T00:00", ["2026-01-04T00:00"]),
        ("@monthly", "2026-01-01T00:00", ["2026-02-01T00:00"]),
        ("@yearly", "2026-01-01T00:00", ["2027-01-01T00:00"]),
        ("  0\t0 1 1 * ", "2026-01-01T00:00", ["2027-01-01T00:00"]),
        ("0 0 31 2 *", "2026-01-01T00:00", []),
        ("0 0 30,31 2 *", "2026-01-01T00:00", []),
    ])
    func `expressions fire when cron says`(cron: String, after: String, expected: [String]) throws {
        #expect(try fires(cron, after: after, count: max(1, expected.count)) == expected)
    }

    @Test(arguments: [
        // Spring in Berlin: 02:00 to 03:00 is skipped on 2026-03-29; 02:30 fires at 03:00 (01:00 UTC).
        (
            "30 2 * * *", "Europe/Berlin", "2026-03-28T00:00",
            ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"]
        ),
        // All of the gap at once, and not again with 03:00's own.
        (
            "0,30 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00",
            ["2026-03-29T01:00", "2026-03-29T01:30", "2026-03-30T00:00"]
        ),
        // Autumn: 02:30 comes twice on 2026-10-25 and fires the first time.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),
        ("30 * * * *", "Europe/Berlin", "2026-10-24T23:45", ["2026-10-25T00:30", "2026-10-25T02:30"]),
        // Looked at from within the second time round.
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T01:15", ["2026-10-26T01:30"]),
        ("30 2 * * *", "America/New_York", "2026-03-07T12:00", ["2026-03-08T07:00", "2026-03-09T06:30"]),
        ("30 1 * * *", "America/New_York", "2026-10-31T12:00", ["2026-11-01T05:30", "2026-11-02T06:30"]),
        // Half an hour only.
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T16:00", ["2026-10-03T15:30", "2026-10-04T15:15"]),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00", ["2026-04-04T14:45", "2026-04-05T15:15"]),
        // Midnight itself is skipped.
        ("0 0 * * *", "Africa/Cairo", "2026-04-23T12:00", ["2026-04-23T22:00", "2026-04-24T21:00"]),
        // A whole day is skipped: Samoa went over the date line.
        ("0 12 * * *", "Pacific/Apia", "2011-12-29T23:00", ["2011-12-30T10:00", "2011-12-30T22:00"]),
        // Odd offsets without any change.
        ("0 6 * * *", "Asia/Kathmandu", "2026-01-01T00:00", ["2026-01-01T00:15", "2026-01-02T00:15"]),
        ("0 6 * * *", "Asia/Kolkata", "2026-01-01T00:00", ["2026-01-01T00:30"]),
    ])
    func `daylight saving skips nothing and repeats nothing`(
        cron: String, zone: String, after: String, expected: [String]
    ) throws {
        #expect(try fires(cron, after: after, zone: zone, count: expected.count) == expected)
    }

    @Test(arguments: [
        "Europe/London", "America/Sao_Paulo", "Africa/Casablanca", "Asia/Gaza", "Antarctica/Troll",
        "Australia/Lord_Howe",
    ])
    func `every local day of ten years has exactly one nightly fire, in rising order`(zone: String) throws {
        let timeZone = try #require(TimeZone(identifier: zone))
        let cron = try CronExpression("30 2 * * *")
        var time = try date("2016-01-01T12:00")
        let end = try date("2026-01-01T12:00")
        var days: [Int] = []
        while let next = cron.nextFire(after: time, in: timeZone), next < end {
            #expect(next > time)
            days.append(Int((next.timeIntervalSince1970 + Double(timeZone.secondsFromGMT(for: next))) / 86_400))
            time = next
        }
        #expect(days == Array(days[0]..<(days[0] + 3653)))
    }

    @Test func `a fraction of a second does not fire the same time again`() throws {
        let cron = try CronExpression("* * * * *")
        let fire = try date("2026-01-01T00:01")
        #expect(cron.nextFire(after: fire - 0.001, in: .gmt) == fire)
        #expect(cron.nextFire(after: fire + 0.001, in: .gmt) == fire + 60)
    }

    @Test func `the database takes what this program takes, and nothing else`() async throws {
        let queue = try await QueueFixture.make()
        // Of what expressions are made, and a little more.
        let pieces = [
            "*", "*", "*", "0", "1", "5", "7", "8", "12", "13", "23", "24", "31", "32", "59", "60", "jan", "dec", "sun",
            "sat", "mon-fri", "1-5", "5-1", "*/5", "*/0", "1-9/2", "3/2", "1,2", "1,", ",", "-1", "1-", "*-5", "1-2-3",
            "1/2/3", "*/", "+1", "a", "999999999999", "*/1000", "*/1001", "JAN", "7-0", "0-7", "00012",
        ]
        var generator = SystemRandomNumberGenerator()
        var texts = ["", "@daily", "@DAILY", "@reboot", "@", "* * * *", "* * * * * *", " \t0 0 * * * \n"]
        texts += ["v30 2 * * *", "30 2 * * *v", "\u{B}30 2 * * *\u{C}"]
        for piece in pieces {
            for field in 0..<5 {
                var fields = Array(repeating: "*", count: 5)
                fields[field] = piece
                texts.append(fields.joined(separator: " "))
            }
        }
        for _ in 0..<300 {
            texts.append((0..<5).map { _ in pieces.randomElement(using: &generator)! }.joined(separator: " "))
        }
        let rows = try await queue.database.query(
            "SELECT t, shufflenet.cron_mistake(t) AS mistake FROM unnest($1::text[]) WITH ORDINALITY AS u (t, n) ORDER BY n",
            [texts])
        for (row, text) in zip(rows, texts) {
            let mistake: String? = try row.decodeIfPresent("mistake")
            #expect((mistake == nil) == ((try? CronExpression(text)) != nil), "'\(text)': \(mistake ?? "taken")")
        }
        let error = await #expect(throws: PostgresError.self) {
            try await queue.database.query(
                #"SELECT shufflenet.schedule('nightly', '0 25 * * *', 'train', '{"dataset": "a"}')"#)
        }
        #expect(
            error?.message == "cron is '0 25 * * *': its hour has '25', wanted 0 to 23", "\(error?.message ?? "")")
    }

    @Test(arguments: [
        ("* * * *", "has 4 fields, wanted 5"), ("", "has 0 fields"), ("@reboot", "'@reboot' is not known"),
        ("60 * * * *", "minute: found '60', wanted 0 to 59"), ("* 24 * * *", "hour: found '24'"),
        ("* * 0 * *", "day of month: found '0'"), ("* * * 13 *", "month: found '13', wanted 1 to 12 or jan to dec"),
        ("* * * * 8", "day of week: found '8', wanted 0 to 7 or sun to sat"), ("5-1 * * * *", "runs backwards"),
        ("*/0 * * * *", "step '0'"), ("5/10 * * * *", "write 5-59/10"), ("1,,2 * * * *", "found ''"),
        ("1- * * * *", "found ''"), ("-1 * * * *", "found ''"), ("a * * * *", "found 'a'"),
        ("*/99999999999999999999 * * * *", "step"),
        ("٣ * * * *", "found '٣'"),
    ])
    func `what is no cron is told in a sentence`(cron: String, part: String) {
        let mistake = #expect(throws: CronExpression.Mistake.self) { try CronExpression(cron) }
        #expect(mistake?.description.contains(part) == true, "\(mistake?.description ?? "")")
    }
}
