import Foundation
import Images
import Support
import TestSupport
import Testing

@testable import Runs

@Suite("A classification of CIFAR-10's records", .oneAtATime)
struct ClassifiedRecordsTests {
    let bench: Workbench
    let model: String
    /// Records, among them a picture and a file that has the name of a batch.
    let records: String
    let bytes: [UInt8]

    init() throws {
        bench = try Workbench()
        records = bench.path("records")
        bytes = try Array(Fixture.bytes("engine/cifar10_first_96.bin"))
        try FileManager.default.createDirectory(atPath: records, withIntermediateDirectories: true)
        try AtomicFile.write(bytes, to: records + "/data_batch_1.bin")
        var options = bench.quickOptions
        options.epochs = 1
        options.batch = 16
        model = try bench.trained(options: options, data: records) + "/last.ckpt"
        try AtomicFile.write(bytes.dropLast(), to: records + "/test_batch.bin")
        try writePicture(of: 7, to: records + "/a.png")
    }

    private func writePicture(of record: Int, to path: String) throws {
        let planes = bytes[(record * 3073 + 1)...].prefix(3072)
        let rgb = (0..<1024).flatMap { pixel in (0..<3).map { planes[planes.startIndex + $0 * 1024 + pixel] } }
        try PNGWriter.write(rgb: rgb, width: 32, height: 32, to: path)
    }

    private func classified(_ images: String, to name: String, part: Int? = nil, of count: Int = 1) throws -> [String] {
        var run = ClassificationRun(options: .init(), model: model, images: images, out: bench.path(name))
        run.report = bench.path(name + ".html")
        run.shard = part.map { .init(index: $0, count: count) }
        _ = try run.execute(in: bench.context())
        return try bench.text(run.out).components(separatedBy: "\r\n").dropLast()
    }

    @Test("each record has a row, which says what is said of the same picture in a file of its own")
    func rows() throws {
        let pictures = bench.path("pictures")
        try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true)
        for record in 0..<96 { try writePicture(of: record, to: "\(pictures)/\(100 + record).png") }
        let wanted = try classified(pictures, to: "pictures.csv").map { CSV.fields($0.utf8) }
        let found = try classified(records, to: "records.csv").map { CSV.fields($0.utf8) }
        let hash = try #require(found[0].firstIndex(of: "sha256"))
        #expect(found.count == 1 + 1 + 96 + 1 && found[1][0] == "a.png" && found[1][1] == "ok")
        #expect(found[98][0] == "test_batch.bin" && found[98][1] == "unreadable")
        #expect(found[1][2...] == wanted[8][2...])
        for record in 0..<96 {
            let row = found[2 + record]
            #expect(row[0] == "data_batch_1.bin#000\(record < 10 ? "0" : "")\(record)")
            let stored = bytes[(record * 3073)...].prefix(3073)
            #expect(row[hash] == Array(stored).withUnsafeBytes { "\(SHA256Digest(of: $0))" })
            for column in row.indices.dropFirst() where column != hash {
                #expect(row[column] == wanted[1 + record][column], "\(row[0]): \(found[0][column])")
            }
        }
        let page = try bench.text(bench.path("records.csv.html"))
        #expect(page.contains("data_batch_1.bin#000") && !page.contains("class=\"gone\""))
    }

    @Test("in parts it is the same table")
    func parts() throws {
        let whole = try classified(records, to: "whole.csv")
        let parts = try (1...3).map { (number: Int) in
            try classified(records, to: "part-\(number).csv", part: number, of: 3)
        }
        #expect(parts.allSatisfy { $0.count > 30 && $0[0] == whole[0] })
        #expect(parts.flatMap { $0.dropFirst() } == Array(whole.dropFirst()))
    }
}
