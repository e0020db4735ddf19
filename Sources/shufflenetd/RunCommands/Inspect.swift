import ArgumentParser
import Checkpoints
import Images
import Runs
import ShuffleNet

struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show what a checkpoint holds.")

    @Argument(help: ArgumentHelp("The .ckpt file.", valueName: "ckpt"))
    var checkpoint: String
    @Flag(help: "List every entry with its type and shape.")
    var entries = false

    func run() async throws {
        let summary: CheckpointSummary
        do {
            summary = try CheckpointSummary(path: checkpoint)
        } catch {
            complain("\(error)")
            throw ExitCode(65)
        }
        print("file:          \(checkpoint)")
        print(
            "entries:       \(summary.lines.count), of which \(summary.tensorCount) tensors; \(summary.byteCount) bytes"
        )
        if let network = summary.configuration {
            print(
                "network:       ShuffleNet V1 \(network.size.rawValue), \(network.groups.rawValue) groups, "
                    + "\(network.classes) classes")
        } else if let problem = summary.problem {
            print("network:       none to use: \(problem)")
        }
        print("parameters:    \(summary.parameterCount)")
        if let step = summary.globalStep { print("optimiser:     state of momentum SGD after \(step) steps") }
        if let names = summary.card?.classNames {
            print("classes:       \(names.map(SafeText.escaped).joined(separator: ", "))")
        }
        if let preprocessing = summary.card?.preprocessing {
            print("preprocessing: \(SafeText.escaped(preprocessing))")
        }
        if let training = summary.card?.training { print("training:      \(SafeText.escaped(training))") }
        if let check = summary.card?.bfloat16Check {
            print("bf16 check:    agrees with f32 on \(check.agreeing) of \(check.images) images")
        }
        if let state = summary.card?.runState { print("run state:     \(SafeText.escaped(state))") }
        if entries {
            print("")
            for line in summary.lines {
                print("\(SafeText.escaped(line.name))  \(line.type) \(line.shape)")
            }
        }
    }
}
