import ArgumentParser
import Runs

struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a network, from scratch or from a checkpoint.",
        discussion: """
            The data set is a folder of CIFAR-10's binary version or a folder with one sub-folder of JPEG and PNG files \
            a class. OUT receives shufflenetv1-<epoch>_<step>.ckpt (the newest five), last.ckpt, best.ckpt, results.csv, \
            eval_log.txt and train.log.
            """)

    @Option(help: ArgumentHelp("The data set.", valueName: "dir"))
    var data: String
    @Option(help: ArgumentHelp("Where the run's files go.", valueName: "dir"))
    var out: String
    @Option(help: ArgumentHelp("Begin with the weights of this checkpoint (fine-tuning).", valueName: "ckpt"))
    var from: String?
    @Flag(help: "Go on from OUT/last.ckpt.")
    var resume = false
    @OptionGroup var threads: ThreadsOption
    @OptionGroup(title: "Training")
    var training: TrainingFlags

    func run() async throws {
        let run = TrainingRun(
            options: training.options, data: data, out: out, from: from, resume: resume ? .required : .no)
        try await PlainRun.perform(threads: threads.count) { try run.execute(in: $0) }
    }
}
