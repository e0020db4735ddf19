import Foundation
import Glibc

/// Keeps a child to its memory limit, and tells when the kernel ended one for want of memory.
///
/// Looks at the resident set a few times a second, which needs neither a delegated cgroup nor luck: a limit of the
/// address space (setrlimit(2)) would count what a thread pool only reserves, and end in a crash without a reason.
struct MemoryWatch: Sendable {
    /// Milliseconds between two looks. A core can touch some 100 MB in that time.
    static let interval: Int32 = 50

    let limit: Int64?
    private let pid: pid_t
    private let kernelKills: Int

    init(pid: pid_t, limit: Int64?) {
        self.pid = pid
        self.limit = limit
        kernelKills = Self.countKernelKills()
        // When memory is short all the same, the kernel is to take the job and not the daemon or the database.
        try? Data("500".utf8).write(to: URL(filePath: "/proc/\(pid)/oom_score_adj"))
    }

    /// What to say if the child is past its limit now.
    func excess() -> String? {
        guard let limit, let resident, resident > limit else { return nil }
        return "the job took \(resident >> 20) MiB of memory, its limit is \(limit >> 20) MiB"
    }

    /// What to say of a child that ended by SIGKILL if the kernel killed for memory since it started.
    func killingByKernel() -> String? {
        guard Self.countKernelKills() > kernelKills else { return nil }
        return "the job was killed because the machine or its control group ran out of memory"
    }

    /// Bytes of the child and of the decoders that it has started; what those share with others, the program and the memory
    /// for samples, is the child's as well and counted there.
    private var resident: Int64? {
        guard let own = Self.pages(of: pid) else { return nil }
        let helpers = Self.children(of: pid).compactMap(Self.pages).reduce(0) { $0 + $1.resident - $1.shared }
        return (own.resident + helpers) * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// The second and third field of proc(5)'s statm.
    private static func pages(of pid: pid_t) -> (resident: Int64, shared: Int64)? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8) else { return nil }
        let fields = text.split(separator: " ").compactMap { Int64($0) }
        return fields.count > 2 ? (fields[1], fields[2]) : nil
    }

    /// The processes that any of its threads has started; none where the kernel does not tell.
    private static func children(of pid: pid_t) -> [pid_t] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
        return tasks.flatMap { task -> [pid_t] in
            let list = try? String(contentsOfFile: "/proc/\(pid)/task/\(task)/children", encoding: .utf8)
            return (list ?? "").split(separator: " ").compactMap { pid_t($0) }
        }
    }

    /// The machine's count, since Linux 4.13; 0 where it is not told.
    private static func countKernelKills() -> Int {
        // As bytes: making strings of its lines took longer than the rest of the daemon's work on a child.
        let text = FileManager.default.contents(atPath: "/proc/vmstat") ?? Data()
        guard let name = text.firstRange(of: Data("\noom_kill ".utf8)) else { return 0 }
        let digits = text[name.upperBound...].prefix { $0 != UInt8(ascii: "\n") }
        return Int(String(decoding: digits, as: UTF8.self)) ?? 0
    }
}
