public import Postgres

extension Migrator {
    /// The queue's schema: the files of the top-level folder `migrations`, carried in the binary.
    public static let shufflenet = Migrator(
        schema: "shufflenet",
        migrations: [
            // SwiftPM names an embedded file after itself, with what no identifier can have replaced by `_`.
            ("jobs", PackageResources._001_jobs_sql),
            ("intake", PackageResources._002_intake_sql),
            ("steering", PackageResources._003_steering_sql),
            ("schedules", PackageResources._004_schedules_sql),
            ("views", PackageResources._005_views_sql),
            ("roles", PackageResources._006_roles_sql),
            ("changes", PackageResources._007_changes_sql),
            ("precision", PackageResources._008_precision_sql),
            ("history", PackageResources._009_history_sql),
            ("claim", PackageResources._010_claim_sql),
            ("bounds", PackageResources._011_bounds_sql),
            ("foresight", PackageResources._012_foresight_sql),
            ("amends", PackageResources._013_amends_sql),
            ("watching", PackageResources._014_watching_sql),
            ("giving_way", PackageResources._015_giving_way_sql),
        ].enumerated().map { index, file in
            Migration(version: index + 1, name: file.0, sql: String(decoding: file.1, as: UTF8.self))
        })
}

extension JobStore {
    /// Brings the schema to this program's version; see `Migrator.migrate`. Returns the versions it applied.
    @discardableResult
    public static func migrate(_ settings: ConnectionSettings) async throws -> [Int] {
        var settings = settings
        // Somebody else's migration may have to be waited for.
        settings.statementTimeout = .seconds(600)
        let session = Session(settings)
        return try await session.withConnection { try Migrator.shufflenet.migrate($0) }
    }
}
