import Foundation
import Images
import ShuffleNet
import Support
import Synchronization

@testable import Runs

/// A scratch folder with small drawn data sets, and runs that work in it. Removed with the value.
final class Workbench: Sendable {
    let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/runs-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    func path(_ name: String) -> String { folder + "/" + name }

    /// Two classes that differ in brightness, `count` pictures of 40 × 40 each.
    func drawClasses(_ name: String = "set", count: Int = 12) throws -> String {
        var generator = SeededGenerator(seed: 5)
        for (label, base) in [("dark", Float(40)), ("light", Float(200))] {
            try FileManager.default.createDirectory(
                atPath: path("\(name)/\(label)"), withIntermediateDirectories: true)
            for number in 0..<count {
                let rgb = (0..<40 * 40 * 3).map { _ in UInt8(base + 40 * generator.nextUnit()) }
                try PNGWriter.write(rgb: rgb, width: 40, height: 40, to: path("\(name)/\(label)/\(number).png"))
            }
        }
        return path(name)
    }

    /// The smallest network, as quick as it gets.
    var quickOptions: TrainingOptions {
        var options = TrainingOptions()
        options.modelSize = .half
        options.pixels = 32
        options.batch = 4
        options.epochs = 3
        options.learningRate = 0.02
        options.warmUpEpochs = 1
        options.validationShare = 0.25
        return options
    }

    func context(
        threads: Int = 1, stop: StopFlag = StopFlag(), _ emit: @escaping @Sendable (RunEvent) -> Void = { _ in }
    )
        -> RunContext
    {
        RunContext(threads: threads, stop: stop, emit: emit)
    }

    func trained(_ name: String = "out", options: TrainingOptions? = nil, data: String? = nil) throws -> String {
        let data = try data ?? drawClasses()
        _ = try TrainingRun(options: options ?? quickOptions, data: data, out: path(name)).execute(in: context())
        return path(name)
    }

    func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
    func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }
    func names(_ path: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}

/// Collects what a run emits.
final class EventLog: Sendable {
    private let events = Mutex<[RunEvent]>([])

    func append(_ event: RunEvent) { events.withLock { $0.append(event) } }

    var all: [RunEvent] { events.withLock { $0 } }

    var lines: [String] {
        all.compactMap { if case .log(let line) = $0 { line } else { nil } }
    }
}
