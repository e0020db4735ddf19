/// One numbered step of a schema.
public struct Migration: Sendable, Equatable {
    /// From 1, without gaps.
    public let version: Int
    public let name: String
    public let sql: String

    public init(version: Int, name: String, sql: String) {
        self.version = version
        self.name = name
        self.sql = sql
    }
}

/// Brings a schema to the newest version this program knows, all steps in one transaction.
public struct Migrator: Sendable {
    public let schema: String
    public let migrations: [Migration]

    /// - Parameter migrations: in order, versions 1, 2, 3….
    public init(schema: String, migrations: [Migration]) {
        precondition(
            migrations.map(\.version) == Array(1..<(migrations.count + 1)), "migrations are numbered 1, 2, 3… in order")
        self.schema = schema
        self.migrations = migrations
    }

    /// Where a schema stands, compared with this program.
    public enum Standing: Sendable, Equatable {
        /// Nothing is there yet.
        case absent
        case current(version: Int)
        case older(version: Int)
        case newer(version: Int)
    }

    /// Looks, and changes nothing.
    public func standing(_ connection: Connection) throws -> Standing {
        guard try hasLedger(connection) else { return .absent }
        let rows = try connection.query(
            "SELECT coalesce(max(version), 0) AS version FROM \(quotedSchema).schema_migrations")
        let version: Int = try rows.first?.decode("version") ?? 0
        if version == 0 { return .absent }
        if version == migrations.count { return .current(version: version) }
        return version < migrations.count ? .older(version: version) : .newer(version: version)
    }

    /// Applies what is missing, under an advisory lock held to the end of the transaction, and returns the versions it
    /// applied. Others who come at the same time wait and find nothing left to do.
    ///
    /// Throws `PostgresError` if a step fails, if the schema is newer than this program, or if a step that was applied
    /// is not the one this program has; then nothing was changed.
    @discardableResult
    public func migrate(_ connection: Connection) throws -> [Int] {
        try connection.transaction { connection in
            // Of the transaction, not of the session: that also holds behind a transaction pooler.
            try connection.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", ["migrate \(schema)"])
            // Whoever only looks whether all is up to date needs no right to make anything.
            if try !hasLedger(connection) { try connection.script(Self.ledger(quotedSchema)) }
            let applied = try appliedChecksums(connection)
            if let newest = applied.keys.max(), newest > migrations.count {
                throw PostgresError(
                    .prerequisiteMissing,
                    "schema '\(schema)' has version \(newest), this program knows only up to \(migrations.count)",
                    hint: "Start a newer shufflenetd, or restore a backup from before the upgrade.")
            }
            var done: [Int] = []
            for migration in migrations {
                let checksum = try checksum(of: migration, connection)
                if let earlier = applied[migration.version] {
                    try check(migration, checksum: checksum, against: earlier)
                    continue
                }
                try connection.script(migration.sql)
                try connection.query(
                    "INSERT INTO \(quotedSchema).schema_migrations (version, name, checksum) VALUES ($1, $2, $3)",
                    [migration.version, migration.name, checksum])
                done.append(migration.version)
            }
            return done
        }
    }

    private var quotedSchema: String { Connection.quoted(identifier: schema) }

    private func hasLedger(_ connection: Connection) throws -> Bool {
        let found = try connection.query(
            "SELECT to_regclass($1) IS NOT NULL AS found", ["\(quotedSchema).schema_migrations"])
        return try found.first?.decode("found") ?? false
    }

    private static func ledger(_ schema: String) -> String {
        """
        CREATE SCHEMA IF NOT EXISTS \(schema);
        CREATE TABLE IF NOT EXISTS \(schema).schema_migrations (
            version    integer PRIMARY KEY CHECK (version > 0),
            name       text NOT NULL,
            checksum   text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
        );
        COMMENT ON TABLE \(schema).schema_migrations IS 'Steps of this schema that were applied; checksum is the SHA-256 of the step.';
        """
    }

    private func appliedChecksums(_ connection: Connection) throws -> [Int: String] {
        let rows = try connection.query("SELECT version, checksum FROM \(quotedSchema).schema_migrations")
        return try Dictionary(uniqueKeysWithValues: rows.map { try ($0.decode("version"), $0.decode("checksum")) })
    }

    private func checksum(of migration: Migration, _ connection: Connection) throws -> String {
        let rows = try connection.query(
            "SELECT encode(sha256(convert_to($1::text, 'UTF8')), 'hex') AS checksum", [migration.sql])
        return try rows[0].decode("checksum")
    }

    /// Names of the applied steps whose text is not the one this program has. Looks, and changes nothing.
    public func drift(_ connection: Connection) throws -> [String] {
        let applied = try appliedChecksums(connection)
        return try migrations.filter { migration in
            guard let earlier = applied[migration.version] else { return false }
            return try checksum(of: migration, connection) != earlier
        }.map(\.name)
    }

    private func check(_ migration: Migration, checksum: String, against earlier: String) throws {
        guard checksum == earlier else {
            throw PostgresError(
                .prerequisiteMissing,
                "step \(migration.version) ('\(migration.name)') of schema '\(schema)' was applied from another text "
                    + "than this program has (found \(earlier.prefix(12)), wanted \(checksum.prefix(12)))",
                hint: "Use the shufflenetd that made the schema, or make a new database.")
        }
    }
}
