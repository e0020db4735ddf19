import Checkpoints
import Foundation
import Images
import Support
import TestSupport
import Testing

@testable import Runs

@Suite("Going on from a stopped run", .oneAtATime)
struct ResumeTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    /// Starts a run and stops it at its first step, or when the last step of an epoch is done.
    private func stop(_ run: TrainingRun, behindEpoch epoch: Int? = nil) throws {
        let share = epoch.map { Double($0) / Double(run.options.epochs) } ?? 0
        let stop = StopFlag()
        let failure = #expect(throws: RunFailure.self) {
            _ = try run.execute(
                in: RunContext(threads: 1, stop: stop, progressInterval: .zero) { event in
                    if case .progress(let fraction, _, _) = event, fraction >= share { stop.raise() }
                })
        }
        #expect(failure?.reason == .preempted)
    }

    private func run(_ name: String, data: String, resume: TrainingRun.Resume = .no) -> TrainingRun {
        TrainingRun(options: bench.quickOptions, data: data, out: bench.path(name), resume: resume)
    }

    @Test("the records of an earlier version's run are known again: their names stay what they are")
    func recordsOfEarlierRuns() throws {
        let folder = bench.path("cifar")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try AtomicFile.write(Fixture.bytes("engine/cifar10_first_96.bin"), to: folder + "/data_batch_1.bin")
        let records = try CIFAR10Dataset(folder: folder, part: .training)
        // Python's zlib.crc32 of 96 lines such as '6 data_batch_1.bin#0'.
        let identity = RecordsIdentity(classNames: records.classNames, training: records, validation: nil)
        #expect(identity.checksum == 2_715_755_203 && identity.training == 96)
    }

    @Test(
        "a run stopped before or during validation keeps the epoch, and goes on to the same bytes",
        arguments: [1, 2, 3])
    func duringValidation(epoch: Int) throws {
        let data = try bench.drawClasses()
        let straight = try bench.trained("straight", data: data)
        try stop(run("stopped", data: data), behindEpoch: epoch)
        let log = EventLog()
        _ = try run("stopped", data: data, resume: .required).execute(in: bench.context { log.append($0) })
        #expect(try bench.bytes(bench.path("stopped/last.ckpt")) == bench.bytes(straight + "/last.ckpt"))
        #expect(!log.lines.contains { $0.hasSuffix("loss is 0.0") })
        #expect(log.lines.filter { $0.hasPrefix("epoch: ") }.count == 4 - epoch)
        let logged = try bench.text(bench.path("stopped/train.log")).split(separator: "\n")
        #expect(logged.filter { $0.hasPrefix("epoch: ") }.count == 3)
    }

    @Test("a resumed epoch's time is that of all of its pieces")
    func pieces() throws {
        let data = try bench.drawClasses()
        try stop(run("out", data: data))
        let state = try #require(try ModelFile(path: bench.path("out/last.ckpt")).card.runState)
        let before = try #require(try JSONDecoder().decode(TrainingState.self, from: Data(state.utf8)).seconds)
        #expect(before > 0)
        _ = try run("out", data: data, resume: .required).execute(in: bench.context())
        let rows = try bench.text(bench.path("out/results.csv")).components(separatedBy: "\r\n")
        let seconds = try #require(Double(rows[1].components(separatedBy: ",")[8]))
        // The table has milliseconds.
        #expect(seconds > before - 0.001)
    }

    @Test("a folder with a table but without a checkpoint sends nobody in a circle")
    func nothingToResume() throws {
        let data = try bench.drawClasses()
        let out = try bench.trained("out", data: data)
        for name in try bench.names(out) where name.hasSuffix(".ckpt") {
            try FileManager.default.removeItem(atPath: out + "/" + name)
        }
        let failure = #expect(throws: RunFailure.self) {
            _ = try run("out", data: data, resume: .required).execute(in: bench.context())
        }
        #expect(failure?.message.hasSuffix("train into another folder to begin anew") == true)
    }

    @Test("other options are refused by name")
    func otherOptions() throws {
        let data = try bench.drawClasses()
        try stop(run("out", data: data))
        var other = run("out", data: data, resume: .required)
        other.options.learningRate = 0.01
        other.options.checkpointSteps = 7
        other.options.augmentation = .photographs
        let failure = #expect(throws: RunFailure.self) { _ = try other.execute(in: bench.context()) }
        #expect(failure?.reason == .badInput)
        let wanted =
            "augmentation is photographs, wanted auto; lr is 0.01, wanted 0.02; resume with"
        #expect(failure?.message.contains(wanted) == true, "\(failure?.message ?? "")")
    }

    @Test("a data set that changed is refused, whether records or classes", arguments: [true, false])
    func otherRecords(renamesClass: Bool) throws {
        let data = try bench.drawClasses()
        try stop(run("out", data: data))
        if renamesClass {
            try FileManager.default.moveItem(atPath: data + "/dark", toPath: data + "/dim")
        } else {
            for number in 0..<9 { try FileManager.default.removeItem(atPath: data + "/dark/\(number).png") }
        }
        let failure = #expect(throws: RunFailure.self) {
            _ = try run("out", data: data, resume: .required).execute(in: bench.context())
        }
        #expect(failure?.reason == .badInput)
        #expect(failure?.message.contains("belongs to a run over other records") == true)
    }

    @Test("a damaged last checkpoint is passed over for the newest epoch that is whole")
    func damagedLast() throws {
        let data = try bench.drawClasses()
        let straight = try bench.trained("straight", data: data)
        try stop(run("stopped", data: data), behindEpoch: 2)
        let path = bench.path("stopped/last.ckpt")
        let bytes = try bench.bytes(path)
        // The same file as the second epoch's, unless a copy was made of it.
        try FileManager.default.removeItem(atPath: path)
        try bytes.prefix(1000).write(to: URL(fileURLWithPath: path))
        let log = EventLog()
        _ = try run("stopped", data: data, resume: .required).execute(in: bench.context { log.append($0) })
        #expect(log.lines.contains { $0.hasPrefix("passed over: could not read checkpoint '\(path)'") })
        #expect(try bench.bytes(path) == bench.bytes(straight + "/last.ckpt"))

        for name in try bench.names(bench.path("stopped")) where name.hasSuffix(".ckpt") {
            try bytes.prefix(1000).write(to: URL(fileURLWithPath: bench.path("stopped/\(name)")))
        }
        let failure = #expect(throws: RunFailure.self) {
            _ = try run("stopped", data: data, resume: .required).execute(in: bench.context())
        }
        #expect(failure?.message.contains("wanted a whole checkpoint to go on from") == true)
    }

    @Test("what is not the run's own stays in its folder, and its rows are kept whatever ends their lines have")
    func foreignFiles() throws {
        let data = try bench.drawClasses()
        let straight = try bench.trained("straight", data: data)
        try stop(run("out", data: data), behindEpoch: 2)
        let table = try bench.text(bench.path("out/results.csv")).replacingOccurrences(of: "\r\n", with: "\n")
        try AtomicFile.write(table.utf8, to: bench.path("out/results.csv"))
        let foreign = [".holiday.partial", ".predictions.csv.0123456789abcdef.partial"]
        let own = [".last.ckpt.77.0.partial", ".shufflenetv1-3_5.ckpt.77.0.partial", ".best.ckpt.partial"]
        for name in foreign + own { try AtomicFile.write("precious".utf8, to: bench.path("out/\(name)")) }
        _ = try run("out", data: data, resume: .required).execute(in: bench.context())
        let names = try bench.names(bench.path("out"))
        #expect(names.filter { $0.hasSuffix(".partial") } == foreign)
        // But for times.
        func figures(_ path: String) throws -> [[Substring]] {
            try bench.text(path).split(separator: "\r\n").map { Array($0.split(separator: ",").prefix(8)) }
        }
        #expect(try figures(bench.path("out/results.csv")) == figures(straight + "/results.csv"))

        try FileManager.default.createDirectory(atPath: bench.path("table"), withIntermediateDirectories: true)
        try AtomicFile.write("mine".utf8, to: bench.path("table/results.csv"))
        #expect(throws: RunFailure.self) { _ = try run("table", data: data).execute(in: bench.context()) }
        #expect(try bench.text(bench.path("table/results.csv")) == "mine")
    }

    @Test("a job that cannot go on from an earlier attempt begins anew", arguments: ["options", "truncated"])
    func beginsAnew(change: String) throws {
        let data = try bench.drawClasses()
        let straight = try bench.trained("straight", data: data)
        var first = run("out", data: data)
        if change == "options" { first.options.learningRate = 0.01 }
        try stop(first)
        if change == "truncated" {
            let path = bench.path("out/last.ckpt")
            try bench.bytes(path).prefix(1000).write(to: URL(fileURLWithPath: path))
        }
        let log = EventLog()
        _ = try run("out", data: data, resume: .ifPossible).execute(in: bench.context { log.append($0) })
        #expect(log.lines.contains { $0.hasPrefix("cannot go on from the earlier attempt, beginning anew: ") })
        #expect(try bench.bytes(bench.path("out/last.ckpt")) == bench.bytes(straight + "/last.ckpt"))
    }

    @Test("a run that was killed before its newest checkpoint was called the last goes on from it")
    func withoutLast() throws {
        let data = try bench.drawClasses()
        let straight = try bench.trained("straight", data: data)
        try stop(run("stopped", data: data), behindEpoch: 2)
        for name in ["last.ckpt", "best.ckpt"] {
            try FileManager.default.removeItem(atPath: bench.path("stopped/\(name)"))
        }
        let log = EventLog()
        _ = try run("stopped", data: data, resume: .required).execute(in: bench.context { log.append($0) })
        #expect(try bench.bytes(bench.path("stopped/last.ckpt")) == bench.bytes(straight + "/last.ckpt"))
        #expect(log.lines.filter { $0.hasPrefix("epoch: ") }.count == 2)
    }

    @Test(
        "a run state that no run can have is refused",
        arguments: [(#""epoch":1"#, #""epoch":99"#), (#""step":0"#, #""step":999"#), (#""step":0"#, #""step":-3"#)])
    func impossibleState(found: String, written: String) throws {
        let data = try bench.drawClasses()
        var options = bench.quickOptions
        options.epochs = 1
        let last = try bench.trained("out", options: options, data: data) + "/last.ckpt"
        var file = try ModelFile(path: last)
        let state = try #require(file.card.runState)
        #expect(state.contains(found))
        file.card.runState = state.replacingOccurrences(of: found, with: written)
        try file.write(to: last)
        let failure = #expect(throws: RunFailure.self) {
            _ = try TrainingRun(options: options, data: data, out: bench.path("out"), resume: .required)
                .execute(in: bench.context())
        }
        #expect(failure?.message.contains("the run state in checkpoint") == true)
    }

    @Test("a folder of which only the best checkpoint was kept holds a run, too")
    func bestAlone() throws {
        let out = try bench.trained()
        for name in try bench.names(out) where name != "best.ckpt" {
            try FileManager.default.removeItem(atPath: out + "/" + name)
        }
        let failure = #expect(throws: RunFailure.self) { _ = try bench.trained() }
        #expect(failure?.message.contains("holds a run already") == true)
    }

    @Test("a folder that holds a run is left alone by another one")
    func usedFolder() throws {
        let data = try bench.drawClasses()
        let out = try bench.trained("out", data: data)
        let before = try bench.text(out + "/results.csv")
        let failure = #expect(throws: RunFailure.self) {
            _ = try run("out", data: data).execute(in: bench.context())
        }
        #expect(failure?.message.contains("holds a run already") == true)
        #expect(try bench.text(out + "/results.csv") == before)
    }

    @Test("a folder that another run is writing into is refused, and leftovers of a killed one are cleared away")
    func lockedFolder() throws {
        let data = try bench.drawClasses()
        var holder: OutputFolder? = try OutputFolder(locking: bench.path("out"))
        let failure = #expect(throws: RunFailure.self) {
            _ = try run("out", data: data).execute(in: bench.context())
        }
        #expect(failure?.message.contains("another run is writing into") == true)
        withExtendedLifetime(holder) {}
        holder = nil
        try AtomicFile.write("half".utf8, to: bench.path("out/.last.ckpt.1.0.partial"))
        _ = try run("out", data: data).execute(in: bench.context())
        #expect(try bench.names(bench.path("out")).filter { $0.hasPrefix(".") } == [])
    }

    @Test("weights that cannot be had leave the output folder without a run")
    func missingWeights() throws {
        let data = try bench.drawClasses()
        var from = run("out", data: data)
        from.from = bench.path("none.ckpt")
        #expect(throws: RunFailure.self) { _ = try from.execute(in: bench.context()) }
        #expect(try bench.names(bench.path("out")) == [])
    }

    @Test("an output folder that is a file is told in a sentence")
    func outputIsFile() throws {
        let data = try bench.drawClasses()
        try AtomicFile.write("".utf8, to: bench.path("file"))
        let failure = #expect(throws: RunFailure.self) {
            _ = try run("file", data: data).execute(in: bench.context())
        }
        #expect(failure?.reason == .badInput)
        #expect(failure?.message.contains("it is no folder") == true)
    }
}
