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
        let names: [String]
        switch kind {
        case .train:
            var options = TrainingOptions()
            options.read(from: &reader)
            names = ["dataset", "from", "publish_as"]
        case .evaluate:
            var options = EvaluationOptions()
            options.read(from: &reader)
            names = ["dataset", "model"]
        case .classify:
            var options = ClassificationOptions()
            options.read(from: &reader)
            names = ["images", "model"]
        }
        for name in names { _ = reader.name(name) }
        return reader
    }
}
