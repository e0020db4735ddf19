import Foundation
import Glibc
import Images
import JobQueue
import Postgres
import Support
import TestSupport
import Testing

@testable import Daemon

/// Faults met by real training and real classification: the program's own children, small data.
@Suite(.serialized) struct RealWorkTests {
    let scratch: Scratch
    let database: TestDatabase

    init() async throws {
        scratch = try Scratch()
        database = try await TestDatabase.make(capacity: 6)
    }

    static let training =
        #"{"dataset": "pictures", "model_size": "0.5x", "pixels": 32, "batch": 4, "epochs": 1, "lr": 0.001, "warm_up_epochs": 0, "publish_as": "m"}"#

    /// Two classes of small pictures, shared by all daemons of the test.
    private func drawPictures(_ count: Int) throws {
        for (label, shade) in [("dark", UInt8(40)), ("light", UInt8(200))] {
            let folder = "\(scratch.path)/datasets/pictures/\(label)"
            try FileTree.make(folder)
            for number in 0..<count {
                let rgb = (0..<40 * 40 * 3).map { shade &+ UInt8(($0 * 7 + number) % 40) }
                try PNGWriter.write(rgb: rgb, width: 40, height: 40, to: "\(folder)/\(number).png")
            }
        }
    }

    private var roots: String {
        "roots: {datasets: \(scratch.path)/datasets, models: \(scratch.path)/models, results: \(scratch.path)/results}"
    }

    private func daemon(_ name: String = "state", workers: Int = 1, launcher: [String] = []) async throws
        -> RunningDaemon
    {
        let daemon = try RunningDaemon(
            scratch: scratch, name: name, database: database, child: nil, workers: workers, more: roots,
            launcher: launcher)
        #expect(try await daemon.isReady(), "\(scratch.read("\(name).log") ?? "")")
        return daemon
    }

    private func completed(_ id: JobID, by daemon: RunningDaemon) async throws -> Job {
        let job = try #require(try await daemon.job(id, reaches: .completed, .failed, .held, .cancelled))
        #expect(job.state == .completed, "\(job)")
        return job
    }

    @Test("plain commands: a reader that goes away ends no training, and want of descriptors is no picture's fault")
    func plainCommands() throws {
        try drawPictures(12)
        let options = "--model-size 0.5x --pixels 32 --batch 4 --epochs 2 --lr 0.001 --warm-up-epochs 0"
        try Tool.shell(
            "'\(RunningDaemon.program)' train --data datasets/pictures \(options) --out out | true", in: scratch.path)
        #expect(FileTree.names(in: "\(scratch.path)/out").contains { $0.hasPrefix("shufflenetv1-2_") })

        let classify = "'\(RunningDaemon.program)' classify --model out/best.ckpt --images datasets --out rows.csv"
        var refusals = 0
        for limit in 8...24 {
            try? FileTree.remove("\(scratch.path)/rows.csv")
            do {
                try Tool.shell("ulimit -n \(limit); \(classify) 2> error", in: scratch.path)
            } catch {
                refusals += 1
                #expect(scratch.read("rows.csv") == nil)
            }
            let rows = scratch.read("rows.csv")?.split(separator: "\r\n").dropFirst() ?? []
            #expect(rows.allSatisfy { $0.contains(",ok,") }, "with \(limit) descriptors: \(rows)")
        }
        // Both were met.
        #expect(refusals > 0 && refusals < 17, "\(scratch.read("error") ?? "")")
    }

    @Test("two daemons share the parts of one classification; one of them is killed; one CSV in the files' order")
    func shards() async throws {
        try drawPictures(60)
        let one = try await daemon("one")
        let two = try await daemon("two")
        _ = try await completed(try await one.submit(args: Self.training), by: one)
        let whole = try await one.submit(.classify, args: #"{"images": "pictures", "model": "m"}"#)
        let wanted = try #require(try await completed(whole, by: one).outputPath)

        let id = try await one.submit(.classify, args: #"{"images": "pictures", "model": "m", "shards": 6}"#)
        #expect(try await eventually { try await one.queue.jobs(states: [.completed]).count >= 4 })
        two.send(SIGKILL)
        _ = await two.exitStatus()
        let again = try await daemon("two")
        let job = try await completed(id, by: again)

        let output = try #require(job.outputPath)
        let csv = FileManager.default.contents(atPath: "\(output)/predictions.csv")
        #expect(csv != nil && csv == FileManager.default.contents(atPath: "\(wanted)/predictions.csv"))
        let report = FileManager.default.contents(atPath: "\(output)/report.html")
        #expect(report != nil && report == FileManager.default.contents(atPath: "\(wanted)/report.html"))
        let parts = try await one.queue.jobs().filter { $0.parent == id }
        #expect(parts.count == 6 && parts.allSatisfy { $0.state == .completed })
        for part in parts + [job] {
            #expect(try await one.queue.events(of: part.id).filter { $0.to == .completed }.count == 1)
        }
        let workers = try await parts.asyncMap { try await one.queue.events(of: $0.id).compactMap(\.worker) }
        #expect(Set(workers.flatMap(\.self)).count > 1, "both daemons took parts")
    }

    enum FullDisk: CaseIterable { case checkpoint, csv }

    @Test(
        "a disk that fills up in the middle of a checkpoint or a CSV: nothing half is published; with room it completes",
        arguments: FullDisk.allCases)
    func fullDisk(victim: FullDisk) async throws {
        try drawPictures(8)
        let results = "\(scratch.path)/results"
        try FileTree.make(results)
        if victim == .csv { _ = try await trainWithRoom() }
        let mounting = ["/usr/bin/unshare", "--mount"] + (geteuid() == 0 ? [] : ["--map-root-user"])
        // Room enough to be allowed to begin (1 MiB), and too little for the file.
        let script =
            "mount -t tmpfs -o size=16m tmpfs \"$0\" && head -c 15300000 /dev/zero > \"$0/.balloon\"; exec \"$@\""
        let daemon = try await daemon(launcher: mounting + ["/bin/sh", "-c", script, results])
        let id: JobID
        switch victim {
        case .checkpoint:
            id = try await daemon.submit(maxAttempts: 50, args: Self.training)
        case .csv:
            let folder = "\(scratch.path)/datasets/many"
            try FileTree.make(folder)
            let long = String(repeating: "long-name-", count: 22)
            for number in 0..<6000 {
                #expect(
                    FileManager.default.createFile(atPath: "\(folder)/\(long)\(number).txt", contents: Data("x".utf8)))
            }
            id = try await daemon.submit(.classify, maxAttempts: 50, args: #"{"images": "many", "model": "m"}"#)
        }
        let isToldSo = try await eventually { try await daemon.queue.job(id)?.reason == .diskFull }
        let found = try await daemon.queue.job(id)
        #expect(isToldSo, "\(String(describing: found))")
        // The mount is the daemon's own; the kernel shows it under its process.
        let inside = "/proc/\(daemon.process.processIdentifier)/root\(results)"
        #expect(!FileTree.exists("\(inside)/\(id)"))
        #expect(unlink("\(inside)/.balloon") == 0)
        _ = try await completed(id, by: daemon)
        let names = FileTree.names(in: "\(inside)/\(id)")
        switch victim {
        case .checkpoint: #expect(names.contains("last.ckpt") && names.contains("best.ckpt"))
        case .csv:
            #expect(names == ["predictions.csv", "report.html"])
            let csv = FileManager.default.contents(atPath: "\(inside)/\(id)/predictions.csv") ?? Data()
            #expect(csv.count { $0 == UInt8(ascii: "\n") } == 6001)
        }
        #expect(daemon.process.isRunning)
    }

    /// Publishes model `m` by a daemon that is gone afterwards.
    private func trainWithRoom() async throws -> Job {
        let daemon = try await daemon("trainer")
        let job = try await completed(try await daemon.submit(args: Self.training), by: daemon)
        daemon.send(SIGTERM)
        #expect(await daemon.exitStatus() == 0)
        return job
    }

    @Test("SIGTERM during an evaluation: the next daemon goes on where it stopped, with the same figures")
    func evaluation() async throws {
        try drawPictures(150)
        let one = try await daemon()
        _ = try await completed(try await one.submit(args: Self.training), by: one)
        let arguments = #"{"dataset": "pictures", "model": "m", "batch": 1}"#
        let whole = try await completed(try await one.submit(.evaluate, args: arguments), by: one)
        let id = try await one.submit(.evaluate, args: arguments)
        #expect(
            await eventually {
                let folders = FileTree.names(in: "\(scratch.path)/results/.work").filter { $0.hasPrefix("\(id).") }
                return folders.contains { FileTree.exists("\(scratch.path)/results/.work/\($0)/.evaluation.partial") }
            })
        one.send(SIGTERM)
        #expect(await one.exitStatus() == 0)
        #expect(try await one.queue.job(id)?.state == .available)
        let two = try await daemon()
        let job = try await completed(id, by: two)
        let log = try #require(try await two.queue.attempts(of: id).last?.logPath)
        #expect(
            FileManager.default.contents(atPath: log).map { String(decoding: $0, as: UTF8.self) }?
                .contains("going on after ") == true)
        for name in ["eval.json", "report.html"] {
            let files = [whole, job].map { FileManager.default.contents(atPath: "\($0.outputPath ?? "")/\(name)") }
            #expect(files[0] != nil && files[0] == files[1], "\(name)")
        }
    }
}

extension Sequence {
    fileprivate func asyncMap<Value>(_ transform: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
