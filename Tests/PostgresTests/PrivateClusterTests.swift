import Foundation
import Glibc
import Testing

@testable import Postgres

@Suite(.serialized, .timeLimit(.minutes(3)))
struct PrivateClusterTests {
    private func temporaryState(_ name: String) throws -> String {
        let path = (NSTemporaryDirectory() as NSString).appendingPathComponent("cluster-\(name)-\(getpid())")
        try? FileManager.default.removeItem(atPath: path)
        return path
    }

    private func ask(_ cluster: PrivateCluster, _ sql: String) async throws -> String {
        try await Session(cluster.settings).withConnection { try $0.query(sql)[0].decode("answer") }
    }

    @Test func `a cluster is made, adopted, stopped and started again with its data`() async throws {
        let state = try temporaryState("life")
        defer { try? FileManager.default.removeItem(atPath: state) }
        let cluster = PrivateCluster(state: state, options: .init(fsync: false))
        #expect(try await cluster.start() == .created)
        #expect(cluster.isRunning)
        #expect(try await cluster.start() == .adopted)
        #expect(try await ask(cluster, "SELECT current_setting('listen_addresses') AS answer").isEmpty == true)
        try await Session(cluster.settings).withConnection {
            _ = try $0.script("CREATE TABLE t AS SELECT 'kept' AS answer")
        }
        try await cluster.stop()
        #expect(!cluster.isRunning)
        try await cluster.stop()
        #expect(try await cluster.start() == .started)
        #expect(try await ask(cluster, "SELECT answer FROM t") == "kept")
        try await cluster.stop()
    }

    @Test func `a server killed with kill -9 comes back with what it had committed`() async throws {
        let state = try temporaryState("kill")
        defer { try? FileManager.default.removeItem(atPath: state) }
        let cluster = PrivateCluster(state: state, options: .init(settings: ["shared_buffers": "'16MB'"]))
        try await cluster.start()
        try await Session(cluster.settings).withConnection {
            _ = try $0.script("CREATE TABLE t AS SELECT 'kept' AS answer")
        }
        let pid = try #require(ServerProcess(dataFolder: cluster.dataFolder).livingPostmaster)
        #expect(kill(pid, SIGKILL) == 0)
        // The pid file stays behind, and in the meantime its number goes to somebody else: this very process.
        #expect(FileManager.default.fileExists(atPath: cluster.dataFolder + "/postmaster.pid"))
        let file = cluster.dataFolder + "/postmaster.pid"
        let text = try String(contentsOfFile: file, encoding: .utf8).replacing(
            "\(pid)\n", with: "\(getpid())\n", maxReplacements: 1)
        try text.write(toFile: file, atomically: false, encoding: .utf8)
        #expect(try await cluster.start() == .started)
        #expect(try await ask(cluster, "SELECT answer FROM t") == "kept")
        try await cluster.stop()
    }

    @Test func `two who start one cluster at once get one server`() async throws {
        let state = try temporaryState("twice")
        defer { try? FileManager.default.removeItem(atPath: state) }
        let cluster = PrivateCluster(state: state, options: .init(fsync: false))
        async let first = cluster.start()
        async let second = PrivateCluster(state: state, options: .init(fsync: false)).start()
        let outcomes = try await [first, second]
        #expect(outcomes.contains(.created) && outcomes.contains(.adopted))
        try await cluster.stop()
    }

    @Test func `a state folder whose path is too long for a socket gets a short socket folder`() async throws {
        let state = try temporaryState("long") + "/" + String(repeating: "deep folder's ", count: 8)
        defer { try? FileManager.default.removeItem(atPath: (state as NSString).deletingLastPathComponent) }
        let cluster = PrivateCluster(state: state, options: .init(fsync: false))
        #expect((cluster.socketFolder + "/.s.PGSQL.5432").utf8.count <= 107)
        try await cluster.start()
        #expect(try await ask(cluster, "SELECT 'there' AS answer") == "there")
        try await cluster.stop()
        try FileManager.default.removeItem(atPath: cluster.socketFolder)
    }

    @Test func `missing programs and a folder the server may not enter are told in a sentence`() async throws {
        let none = #expect(throws: PrivateClusterError.self) { try ServerBinaries.find(under: "/nonexistent") }
        #expect(none?.description.contains("Install Debian's package postgresql") == true)
        let old = #expect(throws: PrivateClusterError.self) { try ServerBinaries.find(majorVersion: 7) }
        #expect(old?.description.contains("belongs to PostgreSQL 7") == true)

        let state = try temporaryState("shut")
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: state) }
        let account = ServerAccount(name: "somebody", user: 12345, group: 12345, isOther: true)
        #expect(chmod(state, 0o700) == 0)
        let shut = #expect(throws: PrivateClusterError.self) {
            try account.checkReach(of: state + "/x", opening: state + "/x")
        }
        #expect(shut?.description.contains("can't enter '\(state)' (mode 700)") == true)
    }
}
