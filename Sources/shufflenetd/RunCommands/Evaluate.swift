import ArgumentParser
import Runs

struct Evaluate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure a checkpoint on a labelled data set.",
        discussion: """
            OUT receives a further line of eval_log.txt, eval.json, and report.html, a page about it with the surest \
            mistakes as pictures; with --precision bf16 also checked.ckpt, the checkpoint with how far bf16 agrees with \
            f32 recorded in it.
            """)

    @Option(help: ArgumentHelp("The checkpoint to measure.", valueName: "ckpt"))
    var model: String
    @Option(help: ArgumentHelp("The data set.", valueName: "dir"))
    var data: String
    @Option(help: ArgumentHelp("Where the files go.", valueName: "dir"))
    var out: String
    @OptionGroup(title: "Evaluation")
    var flags: EvaluationFlags
    @OptionGroup(title: "Pictures")
    var pictures: PictureFlags
    @OptionGroup var threads: ThreadsOption

    func run() async throws {
        var options = flags.options
        options.pictures = pictures.options
        let run = EvaluationRun(options: options, model: model, data: data, out: out)
        try await PlainRun.perform(threads: threads.count) { try run.execute(in: $0) }
    }
}

struct EvaluationFlags: ParsableArguments {
    private static let defaults = EvaluationOptions()

    @Option(help: "Images a batch.")
    var batch = Self.defaults.batch
    @Option(
        help: """
            Which records: validation (what the model's training would hold back), training, or auto (the validation part of a \
            data set that has one, all records of any other).
            """)
    var part = Self.defaults.part
    @Option(help: "Take at most so many records.")
    var records: Int?
    @Option(help: "Share of unreadable images past which the run fails.")
    var unreadableLimit = Self.defaults.unreadableLimit
    @Option(help: "What is measured: f32 or bf16, and then also how far it agrees with f32.")
    var precision = Self.defaults.precision

    var options: EvaluationOptions {
        var options = EvaluationOptions()
        options.batch = batch
        options.part = part
        options.records = records
        options.unreadableLimit = unreadableLimit
        options.precision = precision
        return options
    }
}
