internal import CLibpq

/// Where a database is and who asks. Neither `description` nor a dump of it ever shows a password.
public struct ConnectionSettings: Sendable, CustomStringConvertible, CustomReflectable {
    /// libpq's keywords and values, see "Parameter Key Words" in PostgreSQL's manual, 34.1.2.
    private var parameters: [String: String]
    /// How long one statement may take, sending and waiting included; then the connection is given up.
    public var statementTimeout: Duration
    /// Whether statements are prepared once for each connection. A pooler that changes the server connection between
    /// transactions is noticed at its first complaint, and from then on nothing is prepared.
    public var preparesStatements: Bool

    /// Reads a connection URI (`postgresql://user@host/database`) or `keyword=value` string.
    ///
    /// Throws `PostgresError` if libpq can't read it; the message never repeats the string.
    public init(
        parsing string: String, statementTimeout: Duration = .seconds(30), preparesStatements: Bool = true
    ) throws {
        guard let options = PQconninfoParse(string, nil) else {
            throw PostgresError(
                .unableToConnect, "could not read the connection string",
                hint: "Write it as postgresql://user@host:5432/database or as host=… dbname=… user=….")
        }
        defer { PQconninfoFree(options) }
        var parameters: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { parameters[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        self.parameters = parameters
        self.statementTimeout = statementTimeout
        self.preparesStatements = preparesStatements
    }

    /// - Parameter host: a name, or the absolute path of the folder that holds the server's socket.
    public init(
        host: String, port: Int = 5432, database: String, user: String, password: String? = nil,
        statementTimeout: Duration = .seconds(30), preparesStatements: Bool = true
    ) {
        parameters = ["host": host, "port": String(port), "dbname": database, "user": user]
        parameters["password"] = password
        self.statementTimeout = statementTimeout
        self.preparesStatements = preparesStatements
    }

    public var host: String? { parameters["host"] }

    public var user: String? { parameters["user"] }

    public var database: String? {
        get { parameters["dbname"] }
        set { parameters["dbname"] = newValue }
    }

    /// What `pg_stat_activity` shows.
    public var applicationName: String? {
        get { parameters["application_name"] }
        set { parameters["application_name"] = newValue }
    }

    /// A copy that talks to another database of the same server.
    public func database(_ name: String) -> ConnectionSettings {
        var copy = self
        copy.database = name
        return copy
    }

    /// Keywords and values as libpq takes them, with what this project wants where the user said nothing:
    /// a dead peer is noticed within a lease.
    var keywords: [(keyword: String, value: String)] {
        let defaults = [
            "application_name": "shufflenetd", "connect_timeout": "10", "client_encoding": "UTF8",
            "keepalives_idle": "5", "keepalives_interval": "5", "keepalives_count": "2", "tcp_user_timeout": "15000",
        ]
        return defaults.merging(parameters) { _, wanted in wanted }.map { (keyword: $0.key, value: $0.value) }
    }

    public var description: String {
        ["host", "port", "dbname", "user"]
            .compactMap { key in parameters[key].map { "\(key)=\($0)" } }
            .joined(separator: " ")
    }

    public var customMirror: Mirror { Mirror(self, children: ["settings": description]) }
}
