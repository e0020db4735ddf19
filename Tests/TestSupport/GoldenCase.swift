/// What `case.json` of a `GoldenFolder.Kind.network` or `.trajectory` says.
public struct GoldenCase: Decodable, Sendable {
    public struct Optimizer: Decodable, Sendable {
        public let name: String
        public let lr: Double
        public let momentum: Double
        public let weightDecay: Double

        enum CodingKeys: String, CodingKey {
            case name, lr, momentum
            case weightDecay = "weight_decay"
        }
    }

    /// A parameter's name and shape, in the framework's order.
    public struct Parameter: Decodable, Sendable, Equatable {
        public let name: String
        public let shape: [Int]

        public init(name: String, shape: [Int]) {
            self.name = name
            self.shape = shape
        }

        public init(from decoder: any Decoder) throws {
            var pair = try decoder.unkeyedContainer()
            name = try pair.decode(String.self)
            shape = try pair.decode([Int].self)
        }
    }

    /// `0.5x`, `1.0x`, `1.5x` or `2.0x`.
    public let size: String
    public let groups: Int
    public let classes: Int
    /// Images in a step; the trajectory's file says 16 in prose only.
    public let batch: Int
    public let losses: [Double]
    public let optimizer: Optimizer
    public let labelSmoothing: Double
    /// Empty for a trajectory.
    public let parameters: [Parameter]
    /// Names of the parameters the optimiser changes, in its order; empty for a trajectory.
    public let trainable: [String]
    /// The range of CIFAR-10 records behind the trajectory's `eval_logits`.
    public let evaluationRecords: Range<Int>?

    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        size = try keys.decode(String.self, forKey: .size)
        groups = try keys.decode(Int.self, forKey: .group)
        classes = try keys.decode(Int.self, forKey: .classes)
        batch = try keys.decodeIfPresent(Int.self, forKey: .batch) ?? 16
        losses = try keys.decode([Double].self, forKey: .losses)
        parameters = try keys.decodeIfPresent([Parameter].self, forKey: .parameters) ?? []
        trainable = try keys.decodeIfPresent([String].self, forKey: .trainable) ?? []
        if keys.contains(.optimizer) {
            optimizer = try keys.decode(Optimizer.self, forKey: .optimizer)
            labelSmoothing =
                try keys.nestedContainer(keyedBy: CodingKeys.self, forKey: .loss).decode(
                    Double.self, forKey: .labelSmoothing)
        } else {
            optimizer = try Optimizer(from: decoder, name: "Momentum")
            labelSmoothing = try keys.decode(Double.self, forKey: .labelSmoothing)
        }
        let records = try keys.decodeIfPresent([Int].self, forKey: .evaluationRecords)
        evaluationRecords = records.map { $0[0]..<$0[1] }
    }

    enum CodingKeys: String, CodingKey {
        case size, group, classes, batch, losses, optimizer, loss, parameters, trainable
        case labelSmoothing = "label_smoothing"
        case evaluationRecords = "eval_records"
    }
}

extension GoldenCase.Optimizer {
    /// Reads the flat keys of a trajectory's `case.json`, which leaves the name out.
    fileprivate init(from decoder: any Decoder, name: String) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.name = name
        lr = try keys.decode(Double.self, forKey: .lr)
        momentum = try keys.decode(Double.self, forKey: .momentum)
        weightDecay = try keys.decode(Double.self, forKey: .weightDecay)
    }
}
