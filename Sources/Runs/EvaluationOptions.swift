import Images
public import ShuffleNet

/// What shapes an evaluation.
public struct EvaluationOptions: Codable, Sendable, Equatable {
    /// Which records of a data set are measured.
    public enum Part: String, Codable, Sendable, CaseIterable {
        /// The validation part of a data set that its owner divided, all records of any other.
        case auto
        /// What a training of the model would hold back, by hash or because the owner did.
        case validation
        /// What it would learn from.
        case training
    }

    public var part = Part.auto
    public var batch = 64
    /// Takes at most so many records.
    public var records: Int?
    /// The share of unreadable images past which the run fails.
    public var unreadableLimit = BatchLoader.usualUnreadableLimit
    /// What the figures are of; bfloat16 is also compared with float32, and the comparison recorded in a copy of the
    /// model.
    public var precision = Precision.float32

    /// How picture files are read.
    public var pictures = PictureOptions()

    public init() {}

    /// What is wrong with the options, a sentence each; empty when all is well.
    public var mistakes: [String] {
        var mistakes: [String] = []
        if !SharedBounds.batch.contains(batch) {
            mistakes.append("batch is \(batch); wanted \(SharedBounds.batch.words)")
        }
        if let records, records < 1 { mistakes.append("records is \(records); wanted 1 or more") }
        if !(0...1).contains(unreadableLimit) {
            mistakes.append("unreadable_limit is \(unreadableLimit); wanted 0 to 1")
        }
        mistakes += pictures.mistakes
        return mistakes
    }

    /// Reads the keys of an evaluate job into these options.
    mutating func read(from reader: inout ArgumentReader) {
        reader.integer("batch", into: &batch)
        reader.choice("part", into: &part)
        reader.integer("records", into: &records)
        reader.number("unreadable_limit", into: &unreadableLimit)
        reader.choice("precision", into: &precision)
        pictures.read(from: &reader)
        reader.add(mistakes: mistakes)
    }
}
