import Foundation
import Glibc
import Images
import Support

/// The text files of a training run: `train.log` and `eval_log.txt` grow by lines, `results.csv` has a row an epoch.
struct TrainingJournal {
    static let header = CSV.line([
        "epoch", "steps", "learning_rate", "train_loss", "train_top_1", "val_loss", "val_top_1", "val_top_5", "seconds",
        "images_per_s",
    ])

    private let folder: String

    /// Begins the files anew, or for a resumed run keeps the rows of the `completedEpochs` and drops any later one
    /// (its checkpoint was lost, so the epoch runs again).
    init(folder: String, completedEpochs: Int) throws {
        self.folder = folder
        var rows = [Self.header]
        if completedEpochs > 0 {
            let old = (try? String(contentsOfFile: folder + "/results.csv", encoding: .utf8)) ?? ""
            // Whatever a person's editor made of the ends of lines.
            rows += old.split(whereSeparator: \.isNewline).dropFirst().prefix(completedEpochs).map { $0 + "\r\n" }
        }
        try AtomicFile.write(rows.joined().utf8, to: folder + "/results.csv")
    }

    func epoch(
        _ epoch: Int, steps: Int, learningRate: Double, trainLoss: Double, trainTop1: Double,
        validation: EvaluationReport?, seconds: Double, imagesPerSecond: Double
    ) throws {
        let row = CSV.line([
            // The shortest texts of what the engine computes in: float32.
            "\(epoch)", "\(steps)", "\(Float(learningRate))", "\(Float(trainLoss))", "\(trainTop1)",
            validation.map { "\($0.loss)" } ?? "", validation.map { "\($0.top1)" } ?? "",
            validation.map { "\($0.top5)" } ?? "", String(format: "%.3f", seconds),
            String(format: "%.1f", imagesPerSecond),
        ])
        try append(row, to: "results.csv")
    }

    func log(_ line: String) throws {
        try append(line + "\n", to: "train.log")
    }

    private func append(_ text: String, to name: String) throws {
        try AppendedFile.append(text, to: "\(folder)/\(name)")
    }
}

/// A text file that grows by whole lines.
enum AppendedFile {
    /// One write(2) with O_APPEND, so that lines of several writers never mix; what a full disk cut off is taken back.
    static func append(_ text: String, to path: String) throws(SystemError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw SystemError("open", on: path) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        let written = write(descriptor, bytes, bytes.count)
        if written < 0 { throw SystemError("write", on: path) }
        if written < bytes.count {
            ftruncate(descriptor, lseek(descriptor, 0, SEEK_CUR) - off_t(written))
            throw SystemError("write", on: path, code: ENOSPC)
        }
    }
}

/// The line that an evaluation adds to `eval_log.txt`, in the source document's form.
enum EvaluationLog {
    static func line(_ report: EvaluationReport, checkpoint: String, seconds: Double) -> String {
        let whole = Int(seconds)
        return "result:{'Loss': \(report.loss), 'Top_1_Acc': \(report.top1), 'Top_5_Acc': \(report.top5)}, "
            + "ckpt:'\(SafeText.escaped(checkpoint))', time: \(whole / 3600)h \(whole / 60 % 60)m \(whole % 60)s"
    }
}
