public import ShuffleNet

/// What shapes a classification.
public struct ClassificationOptions: Codable, Sendable, Equatable {
    /// How many of the best labels a row names; fewer where the model has fewer classes.
    public var topK = 5
    public var batch = 64
    /// Rows whose best probability is below get the status `abstain` and no label.
    public var abstainBelow = 0.0
    /// bfloat16 only for a model whose `BFloat16Check` holds. Nil: the faster one that the model may have on this CPU.
    public var precision: Precision?

    /// How picture files are read.
    public var pictures = PictureOptions()

    public init() {}

    /// What is wrong with the options, a sentence each; empty when all is well.
    public var mistakes: [String] {
        var mistakes: [String] = []
        if !(1...1000).contains(topK) { mistakes.append("top_k is \(topK); wanted 1 to 1000") }
        if !SharedBounds.batch.contains(batch) {
            mistakes.append("batch is \(batch); wanted \(SharedBounds.batch.words)")
        }
        if !(0...1).contains(abstainBelow) { mistakes.append("abstain_below is \(abstainBelow); wanted 0 to 1") }
        mistakes += pictures.mistakes
        return mistakes
    }

    /// Reads the keys of a classify job into these options.
    mutating func read(from reader: inout ArgumentReader) {
        reader.integer("top_k", into: &topK)
        reader.integer("batch", into: &batch)
        reader.number("abstain_below", into: &abstainBelow)
        reader.choice("precision", into: &precision)
        pictures.read(from: &reader)
        reader.add(mistakes: mistakes)
    }
}
