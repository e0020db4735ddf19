public import ShuffleNet

extension ModelFile {
    /// A network with the file's values.
    public func makeNetwork() -> Network {
        let network = Network(configuration: configuration, seed: 0)
        copyValues(into: network) { _ in true }
        return network
    }

    /// Copies the file's values into `network`, which must be of the same size, groups and class count; otherwise
    /// throws `CheckpointError` that names the first tensor which does not fit. `file` is the name for the sentence.
    public func load(into network: Network, file: String? = nil) throws(CheckpointError) {
        try check(network.parameters, file: file)
        copyValues(into: network) { _ in true }
    }

    /// What `loadForFineTuning` left out.
    public struct DroppedClassifier: Sendable, Equatable, CustomStringConvertible {
        public let foundClasses: Int
        public let wantedClasses: Int

        public var description: String {
            foundClasses == wantedClasses
                ? "the classifier, which is of other classes, was dropped, a new one is trained"
                : "the classifier for \(foundClasses) classes was dropped, a new one for \(wantedClasses) is trained"
        }
    }

    /// Copies the file's values into `network` of the same size and groups, as a start for training on other classes.
    ///
    /// A classifier of another class count or of other classes is dropped: the network keeps its own initial one, and the
    /// result says so (nil when everything was loaded). Throws `CheckpointError` when size or groups differ.
    ///
    /// - Parameter classNames: of the network's outputs, in order. A file without names is taken to have the same.
    public func loadForFineTuning(
        into network: Network, classNames: [String]? = nil, file: String? = nil
    ) throws(CheckpointError) -> DroppedClassifier? {
        let (found, wanted) = (configuration.classes, network.configuration.classes)
        let isOfSameClasses = card.classNames.flatMap { names in classNames.map { names == $0 } } ?? true
        guard found != wanted || !isOfSameClasses else {
            try load(into: network, file: file)
            return nil
        }
        try check(network.parameters.filter { !Self.isClassifier($0.name) }, file: file)
        copyValues(into: network) { !Self.isClassifier($0) }
        return DroppedClassifier(foundClasses: found, wantedClasses: wanted)
    }

    private func check(_ wanted: [ParameterSpecification], file: String?) throws(CheckpointError) {
        let shapes = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.shape) })
        for parameter in wanted where shapes[parameter.name] != parameter.shape {
            throw CheckpointError.wrongShape(
                parameter.name, found: shapes[parameter.name], wanted: parameter.shape
            ).naming(file)
        }
    }

    private func copyValues(into network: Network, where isWanted: (String) -> Bool) {
        for parameter in parameters where isWanted(parameter.name) {
            do {
                try network.setValues(parameter.floats(), of: parameter.name)
            } catch {
                preconditionFailure("names and shapes were compared before: \(error)")
            }
        }
    }

    private static func isClassifier(_ name: String) -> Bool { name.hasPrefix("classifier.") }
}
