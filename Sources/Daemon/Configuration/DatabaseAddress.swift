public import Postgres

/// Where the queue of a configuration is: the configured database, or the private cluster under its state folder.
public enum DatabaseAddress {
    /// Throws `PostgresError` for a connection string that cannot be read.
    public static func settings(_ configuration: DaemonConfiguration) throws -> ConnectionSettings {
        guard let database = configuration.database else {
            return PrivateCluster(state: configuration.state).settings
        }
        return try ConnectionSettings(parsing: database)
    }

    /// The direct way, for LISTEN.
    public static func listening(_ configuration: DaemonConfiguration) throws -> ConnectionSettings {
        guard let listen = configuration.listen else { return try settings(configuration) }
        return try ConnectionSettings(parsing: listen)
    }
}
