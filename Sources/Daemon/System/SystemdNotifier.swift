import Glibc

/// Tells systemd how the service stands, by the protocol of sd_notify(3): datagrams to the socket `NOTIFY_SOCKET` names.
public struct SystemdNotifier: Sendable {
    private let socketPath: String?
    /// How often `WATCHDOG=1` has to be sent; half of what systemd allows. Nil without a watchdog.
    public let watchdogInterval: Duration?

    public init(environment: [String: String]) {
        socketPath = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        let isOurs = environment["WATCHDOG_PID"].flatMap { Int32($0) }.map { $0 == getpid() } ?? true
        let limit = environment["WATCHDOG_USEC"].flatMap { Int64($0) }
        watchdogInterval = isOurs ? limit.flatMap { $0 > 0 ? .microseconds($0 / 2) : nil } : nil
    }

    public func ready(status: String) { send("READY=1\nSTATUS=\(oneLine(status))") }
    public func stopping(status: String) { send("STOPPING=1\nSTATUS=\(oneLine(status))") }
    public func status(_ status: String) { send("STATUS=\(oneLine(status))") }
    public func watchdog() { send("WATCHDOG=1") }

    /// Sends and forgets: a missing supervisor is no reason to stop working.
    private func send(_ message: String) {
        guard let socketPath else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if descriptor < 0 { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(socketPath.utf8)
        // '@' stands for the zero byte that begins a name in the abstract namespace, see unix(7).
        if name.first == UInt8(ascii: "@") { name[0] = 0 }
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let bytes = Array(message.utf8)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), address, length)
            }
        }
    }

    private func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }
}
