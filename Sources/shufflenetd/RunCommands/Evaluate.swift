import ArgumentParser
import Runs

struct Evaluate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure a checkpoint on a labelled data set.",
        discussion: "OUT receives a further line of eval_log.txt, and eval.json.")

    @Option(help: ArgumentHelp("The checkpoint to measure.", valueName: "ckpt"))
    var model: String
    @Option(help: ArgumentHelp("The data set.", valueName: "dir"))
    var data: String
    @Option(help: ArgumentHelp("Where the files go.", valueName: "dir"))
    var out: String
    @OptionGroup(title: "Evaluation")
    var flags: EvaluationFlags
    @OptionGroup var threads: ThreadsOption

    func run() async throws {
        let run = EvaluationRun(options: flags.options, model: model, data: data, out: out)
        try await PlainRun.perform(threads: threads.count) { try run.execute(in: $0) }
    }
}

struct EvaluationFlags: ParsableArguments {
    private static let defaults = EvaluationOptions()

    @Option(help: "Images a batch.")
    var batch = Self.defaults.batch
    @Option(help: "Take at most so many records.")
    var records: Int?
    @Option(help: "Share of unreadable images past which the run fails.")
    var unreadableLimit = Self.defaults.unreadableLimit

    var options: EvaluationOptions {
        var options = EvaluationOptions()
        options.batch = batch
        options.records = records
        options.unreadableLimit = unreadableLimit
        return options
    }
}
