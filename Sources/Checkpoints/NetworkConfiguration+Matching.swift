import ShuffleNet

extension NetworkConfiguration {
    /// The configuration whose arrays a checkpoint holds, by name and shape.
    ///
    /// No two configurations share all names and shapes, so at most one fits. When none does, the error names the
    /// first tensor that differs from the configuration which comes closest.
    init(matching checkpoint: Checkpoint) throws(CheckpointError) {
        guard let stem = checkpoint.tensor("first_conv.0.weight"), let head = checkpoint.tensor("classifier.weight")
        else {
            let missing = checkpoint.tensor("first_conv.0.weight") == nil ? "first_conv.0.weight" : "classifier.weight"
            throw CheckpointError("it holds no whole ShuffleNet V1: there is no tensor \(missing.quoted)")
        }
        guard stem.shape.count == 4, head.shape.count == 2, head.shape[0] >= 1 else {
            throw CheckpointError(
                "it holds no ShuffleNet V1: 'first_conv.0.weight' has shape \(stem.shape), 'classifier.weight' has "
                    + "shape \(head.shape), wanted were four and two extents")
        }
        var best: (configuration: NetworkConfiguration, matches: Int)?
        for groups in GroupCount.allCases {
            for size in ModelSize.allCases {
                let candidate = NetworkConfiguration(size: size, groups: groups, classes: head.shape[0])
                let matches = candidate.parameters.count { checkpoint.tensor($0.name)?.shape == $0.shape }
                if matches > best?.matches ?? -1 { best = (candidate, matches) }
            }
        }
        guard let found = best?.configuration else { preconditionFailure("there is at least one configuration") }
        let wanted = found.parameters
        for parameter in wanted where checkpoint.tensor(parameter.name)?.shape != parameter.shape {
            throw CheckpointError.wrongShape(
                parameter.name, found: checkpoint.tensor(parameter.name)?.shape, wanted: parameter.shape,
                by: "ShuffleNet V1 \(found.size.rawValue) with \(found.groups.rawValue) groups")
        }
        let known = Set(wanted.map(\.name))
        let parts = ["first_conv.", "features.", "classifier."]
        for entry in checkpoint.entries where !known.contains(entry.name) {
            if parts.contains(where: { entry.name.hasPrefix($0) }) {
                throw CheckpointError(
                    "tensor \(entry.name.quoted) does not belong to ShuffleNet V1 \(found.size.rawValue) with "
                        + "\(found.groups.rawValue) groups, which everything else fits")
            }
        }
        self = found
    }
}

extension CheckpointError {
    static func missing(_ name: String) -> CheckpointError {
        CheckpointError("there is no tensor \(name.quoted): the file is of another network, or truncated")
    }

    static func wrongShape(
        _ name: String, found: [Int]?, wanted: [Int], by network: String = "the network"
    ) -> CheckpointError {
        guard let found else { return missing(name) }
        return CheckpointError("tensor \(name.quoted) has shape \(found), \(network) wants \(wanted)")
    }
}

extension Checkpoint {
    /// The values of a tensor that must be there in this shape.
    func floats(_ name: String, shape: [Int]) throws(CheckpointError) -> [Float] {
        guard let tensor = tensor(name) else { throw .missing(name) }
        guard tensor.shape == shape else { throw .wrongShape(name, found: tensor.shape, wanted: shape) }
        return try tensor.floats()
    }
}
