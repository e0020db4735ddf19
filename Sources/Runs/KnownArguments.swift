/// The arguments that jobs of a kind may have, wherever they come from: a row, a `job.yaml`, configured defaults.
public enum KnownArguments {
    /// Every key that a job of this kind knows.
    public static func names(of kind: JobSpecification.Kind) -> Set<String> {
        read([:], of: kind).known
    }

    /// What would make every job fail that takes these values, a sentence each; empty when they can be used.
    ///
    /// Only what can be told without the job: keys, types and ranges, not whether something is missing or a named
    /// model is there.
    public static func mistakes(in arguments: [String: JSONValue], of kind: JobSpecification.Kind) -> [String] {
        read(arguments, of: kind).allMistakes
    }

    private static func read(_ arguments: [String: JSONValue], of kind: JobSpecification.Kind) -> ArgumentReader {
        var reader = ArgumentReader(arguments, kind: kind)
        switch kind {
        case .train:
            var options = TrainingOptions()
            options.read(from: &reader)
        case .evaluate:
            var options = EvaluationOptions()
            options.read(from: &reader)
        case .classify:
            var options = ClassificationOptions()
            options.read(from: &reader)
            // The database divides a row by it and leaves it out of the parts' arguments; a run knows no such key.
            reader.refuse("shards", "shards can be given only in a job's own row")
        }
        for key in NameKey.all(of: kind) { _ = reader.name(key) }
        return reader
    }
}
