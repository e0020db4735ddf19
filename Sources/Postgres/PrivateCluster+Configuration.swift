internal import Foundation
internal import Glibc
internal import Support

extension PrivateCluster {
    /// Writes the cluster's three configuration files anew at every start, so that they follow the program's version
    /// and the place of the state folder.
    func writeConfiguration(_ account: ServerAccount) throws {
        var settings = [
            "listen_addresses": "''",
            "port": "5432",
            "unix_socket_directories": Self.quoted("\"\(socketFolder.replacing(scalars: ["\"": "\"\""]))\""),
            "max_connections": String(options.maxConnections),
            "timezone": "'UTC'",
            "log_timezone": "'UTC'",
            "lc_messages": "'C'",
            "logging_collector": "on",
            "log_directory": Self.quoted(folder + "/log"),
            // One file a weekday, so that the log can't fill the disk.
            "log_filename": "'%a.log'",
            "log_truncate_on_rotation": "on",
            "log_rotation_age": "1d",
            "log_rotation_size": "0",
            "fsync": options.fsync ? "on" : "off",
            "full_page_writes": options.fsync ? "on" : "off",
            "synchronous_commit": options.fsync ? "on" : "off",
        ]
        settings.merge(options.settings) { _, wanted in wanted }
        let lines = settings.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
        try write("postgresql.conf", ["# Written by shufflenetd at every start."] + lines, account)
        try write(
            "pg_hba.conf",
            [
                "# Written by shufflenetd at every start.",
                "local all \(Self.owner) peer map=owner",
                "local all all peer",
            ], account)
        let owners = Set(["root", account.name, Self.nameOfCaller]).sorted()
        try write(
            "pg_ident.conf",
            ["# Written by shufflenetd at every start."] + owners.map { "owner \"\($0)\" \(Self.owner)" }, account)
    }

    private static var nameOfCaller: String {
        getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "root"
    }

    private static func quoted(_ value: String) -> String { "'\(value.replacing(scalars: ["'": "''"]))'" }

    private func write(_ name: String, _ lines: [String], _ account: ServerAccount) throws {
        let path = dataFolder + "/" + name
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        guard chmod(path, 0o600) == 0, !account.isOther || lchown(path, account.user, account.group) == 0 else {
            throw SystemError("chown", on: path)
        }
    }
}
