import Foundation
import Support

/// What an attempt that ended early left behind, taken over by the next one.
enum EarlierAttempt {
    /// Links the earlier attempt's checkpoints into this one's folder and copies its texts. Trouble on the way only
    /// means to begin anew.
    ///
    /// Checkpoints are linked and not copied: they are never written in place, so both attempts may hold them.
    static func takeOver(_ specification: JobSpecification, context: RunContext) {
        let files = FileManager.default
        guard let previous = specification.previous, files.fileExists(atPath: previous + "/last.ckpt") else {
            return
        }
        do {
            for name in try files.contentsOfDirectory(atPath: previous) where !name.hasPrefix(".") {
                let (source, target) = ("\(previous)/\(name)", "\(specification.work)/\(name)")
                if files.fileExists(atPath: target) { continue }
                if name.hasSuffix(".ckpt") {
                    try files.linkItem(atPath: source, toPath: target)
                } else if ["results.csv", "train.log", "eval_log.txt"].contains(name) {
                    try files.copyItem(atPath: source, toPath: target)
                }
            }
        } catch {
            context.log("could not take over the earlier attempt in '\(previous)', beginning anew: \(error)")
        }
    }
}
