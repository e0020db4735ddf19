import ArgumentParser
import Runs
import ShuffleNet

struct Classify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Classify every file of a folder into a CSV.",
        discussion: "One row for every file that is not hidden, in sorted order, also for the unreadable ones.")

    @Option(help: ArgumentHelp("The checkpoint to use.", valueName: "ckpt"))
    var model: String
    @Option(help: ArgumentHelp("The folder of images.", valueName: "dir"))
    var images: String
    @Option(help: ArgumentHelp("The CSV to write.", valueName: "csv"))
    var out: String
    @Option(help: ArgumentHelp("A page to write about it, with pictures of each label.", valueName: "html"))
    var report: String?
    @OptionGroup(title: "Classification")
    var flags: ClassificationFlags
    @OptionGroup(title: "Pictures")
    var pictures: PictureFlags
    @Flag(inversion: .prefixedNo, help: "Go on from the rows of an interrupted run.")
    var resume = true
    @OptionGroup var threads: ThreadsOption

    func run() async throws {
        var options = flags.options
        options.pictures = pictures.options
        var run = ClassificationRun(options: options, model: model, images: images, out: out, resume: resume)
        run.report = report
        let classification = run
        try await PlainRun.perform(threads: threads.count) { try classification.execute(in: $0) }
    }
}

struct ClassificationFlags: ParsableArguments {
    private static let defaults = ClassificationOptions()

    @Option(help: "How many of the best labels a row names.")
    var topK = Self.defaults.topK
    @Option(help: "Images a batch.")
    var batch = Self.defaults.batch
    @Option(help: "Rows whose best probability is lower get the status abstain and no label.")
    var abstainBelow = Self.defaults.abstainBelow
    @Option(
        help: """
            f32, or bf16 for a model that was measured to agree with f32. (default: bf16 where this CPU has instructions \
            for it and the model agrees)
            """)
    var precision: Precision?

    var options: ClassificationOptions {
        var options = ClassificationOptions()
        options.topK = topK
        options.batch = batch
        options.abstainBelow = abstainBelow
        options.precision = precision
        return options
    }
}
