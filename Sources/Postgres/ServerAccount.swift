internal import Foundation
internal import Glibc

/// The system user as whom the server runs: `postgres` when we are root (the server refuses root), else ourselves.
struct ServerAccount: Sendable, Equatable {
    let name: String
    let user: uid_t
    let group: gid_t
    /// Whether child processes must change to the account.
    let isOther: Bool

    static func current() throws -> ServerAccount {
        let me = geteuid()
        guard me == 0 else {
            let name = getpwuid(me).map { String(cString: $0.pointee.pw_name) } ?? String(me)
            return ServerAccount(name: name, user: me, group: getegid(), isOther: false)
        }
        guard let entry = getpwnam("postgres") else {
            throw PrivateClusterError(
                "started as root, but there is no user 'postgres' to run the database server as. Install Debian's "
                    + "package postgresql, or start as an ordinary user.")
        }
        return ServerAccount(name: "postgres", user: entry.pointee.pw_uid, group: entry.pointee.pw_gid, isOther: true)
    }

    /// Makes `folder` if it is not there, gives it to the account, and sets its mode.
    func own(folder: String, mode: mode_t) throws {
        if mkdir(folder, mode) != 0, errno != EEXIST {
            let reason = String(cString: strerror(errno))
            throw PrivateClusterError("could not make the folder '\(folder)': \(reason). Choose another state folder.")
        }
        var status = stat()
        guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw PrivateClusterError("'\(folder)' is no folder. Move it away, or choose another state folder.")
        }
        guard status.st_uid == user || !isOther || lchown(folder, user, group) == 0, chmod(folder, mode) == 0 else {
            let reason = String(cString: strerror(errno))
            throw PrivateClusterError("could not give the folder '\(folder)' to user '\(name)': \(reason)")
        }
        guard isOther || status.st_uid == user else {
            throw PrivateClusterError(
                "the folder '\(folder)' belongs to user \(status.st_uid), wanted \(user) ('\(name)'). Start as its "
                    + "owner, or choose another state folder.")
        }
    }

    /// Checks that the account may enter every folder on the way to `path`, and opens `mine` (the last one, which
    /// belongs to this project) for passing through if it is shut.
    func checkReach(of path: String, opening mine: String) throws {
        guard isOther else { return }
        var folder = path
        while true {
            var status = stat()
            if stat(folder, &status) == 0, !mayEnter(status) {
                guard folder == mine, chmod(folder, status.st_mode & 0o7777 | 0o011) == 0 else {
                    throw PrivateClusterError(
                        "user '\(name)', who runs the database server, can't enter '\(folder)' (mode "
                            + "\(String(status.st_mode & 0o7777, radix: 8))). Put the state folder somewhere else, for "
                            + "instance under /var/lib, or start as an ordinary user.")
                }
            }
            guard folder != "/" else { return }
            folder = (folder as NSString).deletingLastPathComponent
        }
    }

    private func mayEnter(_ status: stat) -> Bool {
        if status.st_uid == user { return status.st_mode & S_IXUSR != 0 }
        if status.st_gid == group { return status.st_mode & S_IXGRP != 0 }
        return status.st_mode & S_IXOTH != 0
    }
}
