import ArgumentParser
import Foundation
import KernelSets
import Runs
import ShuffleNet

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Time the engine: a JSON line a figure, images per second, median of the rounds.",
        subcommands: [Inference.self, Training.self, Pipeline.self, Kernels.self, Queue.self])

    struct Flags: ParsableArguments {
        @Option(help: "Width of the network: 0.5x, 1.0x, 1.5x or 2.0x.")
        var size = ModelSize.full
        @Option(help: "Groups of the pointwise convolutions: \(GroupCount.words).")
        var groups = GroupCount.three.rawValue
        @Option(help: "Images a batch.")
        var batch = 32
        @Option(help: "Height and width of the network's input.")
        var pixels = 224
        @OptionGroup var threads: ThreadsOption
        @Option(help: "Classes of the classifier.")
        var classes = 10
        @Option(help: "What activations are stored as: f32 or bf16.")
        var precision = Precision.float32

        func network() throws -> NetworkConfiguration {
            guard let groups = GroupCount(rawValue: groups) else {
                throw ValidationError("--groups is \(groups); wanted \(GroupCount.words)")
            }
            guard SharedBounds.pixels.contains(pixels) else {
                throw ValidationError("--pixels is \(pixels); wanted \(SharedBounds.pixels.words)")
            }
            guard classes >= 1 else { throw ValidationError("--classes is \(classes); wanted 1 or more") }
            return NetworkConfiguration(size: size, groups: groups, classes: classes)
        }

        func benchmark() throws -> EngineBenchmark {
            guard SharedBounds.batch.contains(batch) else {
                throw ValidationError("--batch is \(batch); wanted \(SharedBounds.batch.words)")
            }
            return EngineBenchmark(
                configuration: try network(), batch: batch, pixels: pixels,
                threads: threads.count, precision: precision)
        }
    }

    struct Inference: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Forward passes on prepared batches.")
        @OptionGroup var flags: Flags

        func run() async throws {
            Bench.say(try flags.benchmark().inference())
        }
    }

    struct Training: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Whole training steps on prepared batches.")
        @OptionGroup var flags: Flags

        func run() async throws {
            Bench.say(try flags.benchmark().training())
        }
    }

    struct Pipeline: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "A folder of images to a CSV of labels.")
        @OptionGroup var flags: Flags
        @Option(help: ArgumentHelp("The folder of images.", valueName: "dir"))
        var images: String

        func run() async throws {
            Bench.say(try flags.benchmark().pipeline(images: images))
        }
    }

    struct Kernels: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Single kernels on one thread, for every instruction set that this CPU has.")
        @OptionGroup var flags: Flags
        @Flag(help: "A JSON line a figure instead of a table.")
        var json = false

        func run() async throws {
            let benchmark = KernelBenchmark(configuration: try flags.network(), pixels: flags.pixels)
            if !json { print("set             in    ns          GFLOP/s  GB/s     % of peak  shape         kernel") }
            for set in InstructionSet.supported {
                try benchmark.run(set) { figure in
                    if json { Bench.say(figure) } else { print(Self.line(figure)) }
                }
            }
        }

        private static func line(_ figure: KernelBenchmark.Figure) -> String {
            func padded(_ text: String, _ width: Int) -> String {
                text + String(repeating: " ", count: max(width - text.count, 1))
            }
            func number(_ value: Double, _ width: Int) -> String { padded(String(format: "%.1f", value), width) }
            return padded(figure.instructionSet, 16) + padded(figure.precision.rawValue, 6)
                + number(figure.nanoseconds, 12) + number(figure.gigaflops, 9)
                + number(figure.gigabytes, 9) + number(figure.percentOfPeak, 11) + padded(figure.shape, 14)
                + figure.kernel
        }
    }

    private static func say(_ figure: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if let line = try? encoder.encode(figure) { print(String(decoding: line, as: UTF8.self)) }
    }
}
