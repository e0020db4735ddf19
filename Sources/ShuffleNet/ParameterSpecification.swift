/// One named array of the network, as MindSpore names and shapes it.
public struct ParameterSpecification: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// A convolution's weight `[outputs, inputs / group, kernel, kernel]`, one entry for each group.
        case convolution
        case gamma
        case beta
        case movingMean
        case movingVariance
        case denseWeight
        case denseBias
    }

    public let name: String
    public let shape: [Int]
    public let kind: Kind

    /// Elements of the array.
    public var count: Int { shape.reduce(1, *) }

    /// Running statistics are state, not parameters: the optimiser leaves them alone.
    public var isTrainable: Bool { kind != .movingMean && kind != .movingVariance }

    /// Weight decay reaches every trainable array but γ and β (so `classifier.bias` is decayed).
    public var isDecayed: Bool { isTrainable && kind != .gamma && kind != .beta }

    init(_ name: String, _ shape: [Int], _ kind: Kind) {
        self.name = name
        self.shape = shape
        self.kind = kind
    }
}

extension NetworkConfiguration {
    /// Every array of the network in MindSpore's order, running statistics included.
    public var parameters: [ParameterSpecification] {
        var list: [ParameterSpecification] = []
        list.append(.init("first_conv.0.weight", [stemChannels, 3, 3, 3], .convolution))
        list += Self.norm("first_conv.1", stemChannels)
        for (index, unit) in units.enumerated() {
            list += unit.parameters(prefix: Self.prefix(ofUnit: index))
        }
        list.append(.init("classifier.weight", [classes, featureChannels], .denseWeight))
        list.append(.init("classifier.bias", [classes], .denseBias))
        return list
    }

    /// The number of trainable values, as the source document counts parameters.
    public var trainableCount: Int {
        parameters.reduce(0) { $0 + ($1.isTrainable ? $1.count : 0) }
    }

    fileprivate static func norm(_ prefix: String, _ channels: Int) -> [ParameterSpecification] {
        [
            .init(prefix + ".moving_mean", [channels], .movingMean),
            .init(prefix + ".moving_variance", [channels], .movingVariance),
            .init(prefix + ".gamma", [channels], .gamma),
            .init(prefix + ".beta", [channels], .beta),
        ]
    }
}

extension UnitShape {
    /// The arrays of one unit. `prefix` ends in a dot or is empty.
    func parameters(prefix: String) -> [ParameterSpecification] {
        var list: [ParameterSpecification] = []
        for group in 0..<reduceGroups {
            list.append(
                .init(
                    "\(prefix)branch_main_1.0.convs.\(group).weight", [reduceRows, reduceColumns, 1, 1], .convolution))
        }
        list += NetworkConfiguration.norm(prefix + "branch_main_1.1", middle)
        list.append(.init(prefix + "branch_main_2.0.weight", [middle, 1, 3, 3], .convolution))
        list += NetworkConfiguration.norm(prefix + "branch_main_2.1", middle)
        for group in 0..<groups {
            list.append(
                .init(
                    "\(prefix)branch_main_2.2.convs.\(group).weight", [expandRows, expandColumns, 1, 1], .convolution))
        }
        list += NetworkConfiguration.norm(prefix + "branch_main_2.3", branchOutputs)
        return list
    }
}
