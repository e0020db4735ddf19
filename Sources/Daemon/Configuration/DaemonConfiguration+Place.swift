import Foundation
import Glibc

extension DaemonConfiguration {
    /// Cores this process may use: its affinity mask, which a container or a unit file may have narrowed.
    public static var availableCores: Int {
        max(1, ProcessInfo.processInfo.activeProcessorCount)
    }

    /// Where state goes when nobody says: `/var/lib/shufflenetd` for root, the user's state folder otherwise.
    ///
    /// See the XDG base directory specification for `XDG_STATE_HOME`.
    static func usualState(environment: [String: String]) -> String {
        if geteuid() == 0 { return "/var/lib/shufflenetd" }
        if let folder = environment["XDG_STATE_HOME"], folder.hasPrefix("/") { return "\(folder)/shufflenetd" }
        return "\(environment["HOME"] ?? "/tmp")/.local/state/shufflenetd"
    }

    /// `path` made absolute against the working folder, without a slash at its end.
    static func absolute(_ path: String) -> String {
        var path = path
        while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
        if path.hasPrefix("/") { return path }
        guard let here = getcwd(nil, 0) else { return path }
        defer { free(here) }
        return path == "." ? String(cString: here) : "\(String(cString: here))/\(path)"
    }
}
