import Foundation
import Images
import Support

/// Puts the tables of a classification's parts together: one CSV, in the order of the files, each file once.
///
/// The parts were made at different times on different hosts, from a folder that may have changed meanwhile; so the
/// rows are counted, and a table that does not fit the folder is refused.
struct PredictionMerge: Sendable {
    /// The parts' tables, in order.
    var parts: [String]
    /// The folder that was classified.
    var images: String
    /// Paths under `images` that are no input.
    var excluded: Set<String> = []
    /// The table to write; appears when it is complete.
    var out: String

    func execute(in context: RunContext) throws -> RunResult {
        context.emit(.started)
        let expected = try ImageListing(folder: images, excluding: excluded).count
        var meter = ProgressMeter(context: context, total: parts.count)
        let file = try AtomicFile(path: out)
        var header: [UInt8]?
        var rows = 0
        var seen: Set<[UInt8]> = []
        for (number, part) in parts.enumerated() {
            if context.stop.isRaised { throw RunFailure(.preempted, "stopped after \(number) of \(parts.count) parts") }
            guard let data = FileManager.default.contents(atPath: part) else {
                throw RunFailure(
                    .error,
                    "could not read '\(part)'; the results of shards must lie on a storage that all daemons share")
            }
            for (index, record) in CSVRecords(Array(data)).enumerated() {
                if index == 0 {
                    guard header == nil || header == Array(record.bytes) else {
                        throw RunFailure(
                            .error, "the columns of '\(part)' are not those of the parts before; was the model changed?"
                        )
                    }
                    if header == nil { try record.bytes.withUnsafeBytes { try file.write($0) } }
                    header = Array(record.bytes)
                    continue
                }
                guard seen.insert(record.firstField).inserted else { throw changed(rows, expected) }
                rows += 1
                try record.bytes.withUnsafeBytes { try file.write($0) }
            }
            meter.advance(to: number + 1, message: "part \(number + 1) of \(parts.count)")
        }
        guard rows == expected else { throw changed(rows, expected) }
        try file.commit()
        return RunResult(
            figures: ["files": Double(rows), "shards": Double(parts.count)],
            files: ["predictions": (out as NSString).lastPathComponent],
            summary: "merged \(rows) rows of \(parts.count) shards")
    }

    private func changed(_ rows: Int, _ expected: Int) -> RunFailure {
        .badInput(
            "folder '\((images as NSString).lastPathComponent)' was changed while it was classified: it holds "
                + "\(expected) files, the shards' tables have \(rows) rows or list a file twice; submit the job again")
    }
}

/// The records of an RFC 4180 text, each with its line end. Quotes may hold line ends.
private struct CSVRecords: Sequence, IteratorProtocol {
    struct Record {
        var bytes: ArraySlice<UInt8>

        /// The first field without its quotes.
        var firstField: [UInt8] {
            guard bytes.first == 0x22 else { return Array(bytes.prefix { $0 != 0x2C && $0 != 0x0D && $0 != 0x0A }) }
            var field: [UInt8] = []
            var rest = bytes.dropFirst()
            while let byte = rest.popFirst() {
                if byte == 0x22 {
                    guard rest.first == 0x22 else { break }
                    rest = rest.dropFirst()
                }
                field.append(byte)
            }
            return field
        }
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func next() -> Record? {
        guard !rest.isEmpty else { return nil }
        var isQuoted = false
        var end = rest.startIndex
        while end < rest.endIndex {
            let byte = rest[end]
            end += 1
            if byte == 0x22 { isQuoted.toggle() }
            if byte == 0x0A && !isQuoted { break }
        }
        defer { rest = rest[end...] }
        return Record(bytes: rest[..<end])
    }
}
