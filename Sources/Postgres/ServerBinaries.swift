internal import Foundation

/// The folder of one PostgreSQL version's programs, as Debian lays them out.
struct ServerBinaries: Sendable, Equatable {
    let folder: String
    let majorVersion: Int

    var initdb: String { folder + "/initdb" }
    var control: String { folder + "/pg_ctl" }

    /// The newest version under `root`, or exactly `majorVersion` if a data folder already belongs to it.
    static func find(majorVersion: Int? = nil, under root: String = "/usr/lib/postgresql") throws -> ServerBinaries {
        let installed = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [])
            .compactMap(Int.init)
            .map { ServerBinaries(folder: "\(root)/\($0)/bin", majorVersion: $0) }
            .filter { FileManager.default.isExecutableFile(atPath: $0.control) }
            .sorted { $0.majorVersion < $1.majorVersion }
        if let majorVersion {
            guard let match = installed.first(where: { $0.majorVersion == majorVersion }) else {
                let found = installed.map { String($0.majorVersion) }.joined(separator: ", ")
                throw PrivateClusterError(
                    "the private cluster belongs to PostgreSQL \(majorVersion), installed under \(root): "
                        + "\(found.isEmpty ? "none" : found). Install postgresql-\(majorVersion), or upgrade the cluster "
                        + "with pg_upgrade.")
            }
            return match
        }
        guard let newest = installed.last else {
            throw PrivateClusterError(
                "found no PostgreSQL server under \(root) (wanted <version>/bin/pg_ctl). Install Debian's package "
                    + "postgresql, or name a database in the configuration.")
        }
        return newest
    }
}

/// A private cluster that can't be made, started or stopped; the sentence says what to do.
public struct PrivateClusterError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
