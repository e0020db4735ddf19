internal import Foundation
internal import Glibc

/// Which process on which machine: enough to tell later whether it is still there.
public struct ProcessIdentity: Sendable, Equatable {
    public var host: String
    /// `/etc/machine-id`; empty where there is none.
    public var machineID: String
    /// `/proc/sys/kernel/random/boot_id`: a new one after every boot.
    public var bootID: String
    /// The pid namespace, `pid:[…]`: a pid means something only inside it.
    public var pidNamespace: String
    public var pid: Int32
    /// Clock ticks from boot to its start, field 22 of proc(5)'s stat: tells it from a later process with its pid.
    public var started: Int64

    public init(
        host: String, machineID: String, bootID: String, pidNamespace: String, pid: Int32, started: Int64
    ) {
        self.host = host
        self.machineID = machineID
        self.bootID = bootID
        self.pidNamespace = pidNamespace
        self.pid = pid
        self.started = started
    }

    /// This process.
    public static func current() -> ProcessIdentity {
        ProcessIdentity(
            host: ProcessInfo.processInfo.hostName, machineID: line(of: "/etc/machine-id"),
            bootID: line(of: "/proc/sys/kernel/random/boot_id"),
            pidNamespace: (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? "",
            pid: getpid(), started: start(of: getpid()) ?? 0)
    }

    /// Whether `other` is known to be gone, seen from this process. `false` also when it can't be known.
    ///
    /// - Parameter startOf: when the process that has a pid now was started, nil if there is none.
    public func knowsIsGone(_ other: ProcessIdentity, startOf: (Int32) -> Int64? = ProcessIdentity.start) -> Bool {
        guard other.host == host, other.machineID == machineID else { return false }
        // The machine was booted since: nothing of before is left.
        guard other.bootID == bootID else { return true }
        // In another container the pid could be anybody.
        guard other.pidNamespace == pidNamespace else { return false }
        guard let started = startOf(other.pid) else { return true }
        return other.started != 0 && started != other.started
    }

    /// When the process that has `pid` now was started; nil if there is none, or only a zombie.
    public static func start(of pid: Int32) -> Int64? {
        // The second field is the program's name in brackets, and may hold brackets and spaces itself.
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let bracket = stat.lastIndex(of: ")")
        else { return nil }
        let fields = stat[stat.index(after: bracket)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return Int64(fields[19])
    }

    private static func line(of path: String) -> String {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return String(text.prefix { !$0.isNewline })
    }
}
