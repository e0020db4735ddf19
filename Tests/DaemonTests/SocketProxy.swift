import Foundation
import Glibc
import Synchronization

/// Stands between a daemon and its server and can stop forwarding without closing anything: a half-open connection.
final class SocketProxy: Sendable {
    let folder: String
    private let server: String
    private let listener: Int32
    private let frozen = Mutex(false)

    init(folder: String, server: String) throws {
        self.folder = folder
        self.server = server
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard Self.withAddress("\(folder)/.s.PGSQL.5432", { bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0
        else { throw CocoaError(.fileWriteUnknown) }
        Thread.detachNewThread { [weak self, listener] in
            while case let client = accept(listener, nil, nil), client >= 0 { self?.serve(client) }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    func freeze() { frozen.withLock { $0 = true } }
    func thaw() { frozen.withLock { $0 = false } }

    private func serve(_ client: Int32) {
        let upstream = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard Self.withAddress(server, { connect(upstream, $0, $1) }) == 0 else {
            close(client)
            close(upstream)
            return
        }
        for (from, to) in [(client, upstream), (upstream, client)] {
            Thread.detachNewThread { [weak self] in
                var buffer = [UInt8](repeating: 0, count: 1 << 16)
                while case let count = read(from, &buffer, buffer.count), count > 0 {
                    while self?.frozen.withLock({ $0 }) ?? false { usleep(5000) }
                    guard send(to, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break }
                }
                // Both directions end together; the descriptors stay until the test does.
                shutdown(from, Int32(SHUT_RDWR))
                shutdown(to, Int32(SHUT_RDWR))
            }
        }
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }
}
