import Foundation
import JobQueue
import Postgres
import Spool

/// The doctor's look at the database: reach, schema, rights, clock, notifications.
struct DatabaseCheckup: Sendable {
    let configuration: DaemonConfiguration

    func run() async -> [Doctor.Finding] {
        let database: Database
        do {
            var settings = try DatabaseAddress.settings(configuration)
            settings.applicationName = "shufflenetd doctor"
            settings.statementTimeout = .seconds(10)
            database = Database(settings, capacity: 1)
            try await database.query("SELECT 1")
        } catch {
            let remedy =
                configuration.database == nil
                ? "start the daemon, which makes and runs it" : "see the key database of the configuration"
            return [.init(check: "database", sentence: "could not be reached: \(error); \(remedy)")]
        }
        var findings = await found("schema") { try await schema(database) }
        if findings.isEmpty {
            findings += await found("grants") { try await grants(database) }
            findings += await found("spool") { try await spool(database) }
            findings += await found("queues") { try await queues(database) }
            findings += await found("schedules") { try await schedules(database) }
        }
        findings += await found("clock") { try await clock(database) }
        findings += await found("listen") { try await listening(database) }
        await database.close()
        return findings
    }

    private func found(_ check: String, _ look: () async throws -> [String]) async -> [Doctor.Finding] {
        do {
            return try await look().map { .init(check: check, sentence: $0) }
        } catch {
            return [.init(check: check, sentence: "could not be looked at: \(error)")]
        }
    }

    private func schema(_ database: Database) async throws -> [String] {
        let migrator = Migrator.shufflenet
        let standing = try await database.withConnection { try migrator.standing($0) }
        switch standing {
        case .absent: return ["there is none; make it with: shufflenetd migrate"]
        case .older(let version):
            return ["has version \(version), this program \(migrator.migrations.count); run: shufflenetd migrate"]
        case .newer(let version):
            return ["has version \(version), this program knows only up to \(migrator.migrations.count); update it"]
        case .current:
            return try await database.withConnection { try migrator.drift($0) }
                .map { "step '\($0)' was applied from another text than this program has" }
        }
    }

    private func grants(_ database: Database) async throws -> [String] {
        let rows = try await database.query(
            """
            SELECT format('no right to %s table shufflenet.%s', p, t) AS lack
            FROM unnest(ARRAY['jobs', 'job_history', 'open_folders', 'workers', 'schedules', 'paused_queues',
                    'pauses', 'key_turns', 'identity']) AS t,
                unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p
            WHERE NOT has_table_privilege(format('shufflenet.%I', t), p)
            UNION ALL
            SELECT format('there is no role %s; as a role that may, make it and run SELECT shufflenet.grant_rights()', r)
            FROM unnest(ARRAY['shufflenet_owner', 'shufflenet_worker', 'shufflenet_operator', 'shufflenet_submitter',
                'shufflenet_viewer']) AS r
            WHERE to_regrole(r) IS NULL
            """)
        return try rows.map { try $0.decode("lack") }
    }

    /// A daemon takes no spool and no results of daemons of another database.
    private func spool(_ database: Database) async throws -> [String] {
        let identity = try await JobStore(database).databaseIdentity()
        do {
            try SpoolStore.checkBinding(of: configuration.spool.root, to: identity)
            try ResultsShelf.checkBinding(of: configuration.roots.results, to: identity)
            return []
        } catch let error as SpoolError {
            return ["\(error)"]
        }
    }

    /// Daemons claim from `default` and from the queue of their own spool; a job in any other waits for ever.
    private func queues(_ database: Database) async throws -> [String] {
        let store = JobStore(database)
        let unserved = try await store.unservedQueues()
        guard try await store.isServed() else {
            let jobs = unserved.map(\.jobs).reduce(0, +)
            return jobs == 0 ? [] : ["\(Self.waiting(jobs)) and no daemon runs; start one"]
        }
        return unserved.map { queue, jobs in
            let remedy =
                queue.hasPrefix("spool-")
                ? "it belongs to a spool: start the daemon of that spool, on the file system that holds it"
                : "move \(jobs == 1 ? "it" : "them"): UPDATE shufflenet.jobs SET queue = 'default' WHERE queue = '\(queue)' AND state = 'available'"
            return "\(Self.waiting(jobs)) in queue '\(queue)', which no running daemon serves; \(remedy)"
        }
    }

    private static func waiting(_ jobs: Int) -> String { jobs == 1 ? "1 job waits" : "\(jobs) jobs wait" }

    private func schedules(_ database: Database) async throws -> [String] {
        try await JobStore(database).schedules().filter { $0.definition.enabled && $0.isGivenUp }.map { row in
            let name = row.definition.name
            let note = row.note ?? "nobody noted why"
            return "schedule '\(name)' is given up: \(note); change it with 'shufflenetd schedule add \(name) …', "
                + "or mend what it needs and run 'shufflenetd schedule resume \(name)'"
        }
    }

    /// Leases go by the database's clock and do not mind; schedules and file times do.
    private func clock(_ database: Database) async throws -> [String] {
        let before = Date.now
        let theirs: Date = try await database.query("SELECT clock_timestamp() AS now")[0].decode("now")
        let after = Date.now
        let skew = max(before.timeIntervalSince(theirs), theirs.timeIntervalSince(after))
        guard skew > 2 else { return [] }
        return ["this host and the database differ by \(Int(skew)) s; run a time service on both"]
    }

    /// As the daemon's own listener finds out: by a notification that it sends itself.
    private func listening(_ database: Database) async throws -> [String] {
        let (events, continuation) = AsyncStream.makeStream(of: NotificationListener.Event.self)
        let listener = NotificationListener(
            try DatabaseAddress.listening(configuration), channels: [], probe: .init(by: database)
        ) { continuation.yield($0) }
        let running = Task { await listener.run() }
        defer { running.cancel() }
        guard case .interrupted(let error) = await events.first(where: { _ in true }) else { return [] }
        return ["no notification came: \(error). Until that is mended, jobs wait for the poll"]
    }
}
