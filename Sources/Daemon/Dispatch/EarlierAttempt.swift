import JobQueue
import Support

/// Finds the work of an earlier attempt that a new one can go on from.
enum EarlierAttempt {
    /// The newest folder `<job>.<token>` beside `workFolder`, of a smaller token, that holds a checkpoint
    /// (`last.ckpt`) or, for kinds without checkpoints, anything at all.
    ///
    /// Not simply the last attempt's: one that crashed at once left nothing, and the one before it perhaps hours of work.
    static func folder(for lease: Lease, kind: JobKind, in root: String) -> String? {
        let candidates = FileTree.names(in: root).compactMap { name -> (token: Int64, path: String)? in
            let parts = name.split(separator: ".")
            guard parts.count == 2, parts[0] == "\(lease.job)", let token = Int64(parts[1]),
                token < lease.token.rawValue
            else { return nil }
            return (token, "\(root)/\(name)")
        }
        return candidates.sorted { $0.token > $1.token }.first { holdsWork($0.path, kind) }?.path
    }

    private static func holdsWork(_ path: String, _ kind: JobKind) -> Bool {
        switch kind {
        case .train: FileTree.exists("\(path)/last.ckpt")
        case .evaluate, .classify: !FileTree.names(in: path).isEmpty
        }
    }
}
