import Glibc

/// How much memory there is for this process at the most.
public enum SystemMemory {
    /// Bytes of the machine, of the tightest control group around this process (cgroup v2, `memory.max`), or of the address
    /// space it may have (ulimit -v), whichever are fewest.
    public static var limit: Int {
        var space = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &space)
        // RLIM_INFINITY is the largest number there is.
        let machine = min(
            sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)), Int(clamping: space.rlim_cur))
        // One line, `0::/system.slice/shufflenetd.service`, where the second version is in use.
        guard let line = text("/proc/self/cgroup"), line.hasPrefix("0::/") else { return machine }
        var names = line.dropFirst(4).split(separator: "/")
        var smallest = machine
        while !names.isEmpty {
            let path = "/sys/fs/cgroup/\(names.joined(separator: "/"))/memory.max"
            // `max` where there is no limit.
            if let bytes = text(path).flatMap({ Int($0) }) { smallest = min(smallest, bytes) }
            names.removeLast()
        }
        return smallest
    }

    /// The first line of a file of the kernel's.
    private static func text(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 4096)
        guard fgets(&buffer, Int32(buffer.count), file) != nil else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
