import Foundation

/// A row of a finished predictions.csv, as far as people look at it. Texts are as the table has them.
struct PredictionRow {
    /// Its place among the rows, and so among the files of the listing.
    var place: Int
    var path: String
    var status: Prediction.Status
    /// Empty where there is none.
    var label: String
    /// Of the best class; nil where there was no picture to look at.
    var probability: Double?
    var error: String
    var model: String

    /// Reads a table that a run has finished, row by row. Throws for a file that cannot be read or is no such table.
    static func forEach(inTable path: String, _ body: (PredictionRow) -> Void) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        try data.withUnsafeBytes { bytes in
            var records = CSVRecords(bytes)
            let header = records.next().map(CSV.fields) ?? []
            guard header.starts(with: PredictionTable.columns), let error = header.firstIndex(of: "error") else {
                throw RunFailure(.error, "'\(path)' is no table of predictions")
            }
            for (place, record) in records.enumerated() {
                let fields = CSV.fields(record)
                guard fields.count == header.count, let status = Prediction.Status(rawValue: fields[1]) else {
                    throw RunFailure(.error, "row \(place + 1) of '\(path)' is no row of a table of predictions")
                }
                body(
                    PredictionRow(
                        place: place, path: fields[0], status: status, label: fields[2],
                        probability: Double(fields[4]), error: fields[error], model: fields[fields.count - 1]))
            }
        }
    }
}
