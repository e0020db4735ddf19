import Subprocess

/// What a job's child process finds in its environment: the daemon's own, but for what leads to its database and may
/// hold the password. A job has no business there, and meets what strangers dropped.
enum ChildEnvironment {
    /// What is changed, of variables with these names; `nil` takes one out.
    static func changes(to names: some Sequence<String>) -> [Environment.Key: String?] {
        // The engine shares out its own work; OpenBLAS would start threads of its own, which spin.
        var changes: [Environment.Key: String?] = ["OPENBLAS_NUM_THREADS": "1"]
        for name in names where leadsToDatabase(name) {
            changes.updateValue(nil, forKey: Environment.Key(stringLiteral: name))
        }
        return changes
    }

    /// The daemon's connection strings, and all that libpq reads: PGPASSWORD, PGPASSFILE, PGSERVICE and so on.
    private static func leadsToDatabase(_ name: String) -> Bool {
        ["PG", "SHUFFLENETD_DATABASE", "SHUFFLENETD_LISTEN"].contains { name.hasPrefix($0) }
    }
}
