import Foundation
import Support

/// What an attempt that ended early left behind, taken over by the next one.
enum Takeover {
    /// Copies the rows that an earlier classification left to this attempt's folder. Copied and not linked, so that an
    /// attempt that does not know yet that it is lost writes to its own. Trouble only means to begin anew.
    static func rows(_ specification: JobSpecification, out: String, context: RunContext) {
        guard let previous = specification.previous else { return }
        let name = (out as NSString).lastPathComponent
        for partial in PredictionFile.partials(of: "\(previous)/\(name)") {
            let target = "\(specification.work)/\((partial as NSString).lastPathComponent)"
            if FileManager.default.fileExists(atPath: target) { continue }
            do {
                try FileManager.default.copyItem(atPath: partial, toPath: target)
            } catch {
                context.log("could not take over the rows of the earlier attempt in '\(previous)': \(error)")
            }
        }
    }

    /// Copies what an earlier evaluation had measured. Trouble only means to begin anew.
    static func evaluation(_ specification: JobSpecification, context: RunContext) {
        guard let previous = specification.previous else { return }
        let (source, target) = (
            "\(previous)/\(EvaluationBookmark.name)", "\(specification.work)/\(EvaluationBookmark.name)"
        )
        guard FileManager.default.fileExists(atPath: source) else { return }
        do {
            try FileManager.default.copyItem(atPath: source, toPath: target)
        } catch {
            context.log("could not take over the figures of the earlier attempt in '\(previous)': \(error)")
        }
    }

    /// Links the earlier attempt's checkpoints into this one's folder and copies its texts. Trouble on the way only
    /// means to begin anew.
    ///
    /// Checkpoints are linked and not copied: they are never written in place, so both attempts may hold them.
    static func training(_ specification: JobSpecification, context: RunContext) {
        let files = FileManager.default
        guard let previous = specification.previous, files.fileExists(atPath: previous + "/last.ckpt") else {
            return
        }
        do {
            for name in try files.contentsOfDirectory(atPath: previous) where !name.hasPrefix(".") {
                let (source, target) = ("\(previous)/\(name)", "\(specification.work)/\(name)")
                if files.fileExists(atPath: target) { continue }
                if name.hasSuffix(".ckpt") {
                    try AtomicFile.link(source, to: target)
                } else if ["results.csv", "train.log", "eval_log.txt"].contains(name) {
                    try files.copyItem(atPath: source, toPath: target)
                }
            }
        } catch {
            context.log("could not take over all of the earlier attempt in '\(previous)': \(error)")
        }
    }
}
