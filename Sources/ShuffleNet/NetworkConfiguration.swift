/// Which ShuffleNet V1: width, groups and number of classes. Everything else follows.
///
/// Source: Zhang et al., "ShuffleNet" (arXiv 1707.01083), table 1, with the widths of MindSpore's ShuffleNetV1.
public struct NetworkConfiguration: Codable, Hashable, Sendable {
    public let size: ModelSize
    public let groups: GroupCount
    /// Outputs of the classifier, at least 1.
    public let classes: Int

    public init(size: ModelSize, groups: GroupCount, classes: Int) {
        precondition(classes >= 1, "a classifier needs at least one class, not \(classes)")
        self.size = size
        self.groups = groups
        self.classes = classes
    }

    /// The smallest square input, in pixels.
    public static var minimumPixels: Int { 32 }

    /// Channels after the first convolution.
    public var stemChannels: Int {
        switch (groups, size) {
        case (.three, .half): 12
        case (.eight, .half): 16
        case (_, .full), (_, .oneAndHalf): 24
        case (_, .double): 48
        }
    }

    /// Channels after stages 2, 3 and 4.
    public var stageChannels: [Int] {
        let first =
            switch (groups, size) {
            case (.three, .half): 120
            case (.three, .full): 240
            case (.three, .oneAndHalf): 360
            case (.three, .double): 480
            case (.eight, .half): 192
            case (.eight, .full): 384
            case (.eight, .oneAndHalf): 576
            case (.eight, .double): 768
            }
        return [first, 2 * first, 4 * first]
    }

    /// Channels that reach the classifier.
    public var featureChannels: Int { stageChannels[2] }

    /// Units of stages 2, 3 and 4.
    public static var stageRepeats: [Int] { [4, 8, 4] }

    /// What the names of a unit's arrays begin with.
    static func prefix(ofUnit index: Int) -> String { "features.\(index)." }

    /// The sixteen units in order.
    var units: [UnitShape] {
        var shapes: [UnitShape] = []
        var inputs = stemChannels
        for (stage, outputs) in stageChannels.enumerated() {
            for index in 0..<Self.stageRepeats[stage] {
                shapes.append(
                    UnitShape(
                        inputs: inputs, outputs: outputs, groups: groups.rawValue,
                        isFirst: stage == 0 && index == 0, stride: index == 0 ? 2 : 1))
                inputs = outputs
            }
        }
        return shapes
    }
}
