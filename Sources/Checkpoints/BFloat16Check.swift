/// How far a network in bfloat16 agrees with itself in float32 on its own evaluation set, and, where that is small, on
/// pictures that it was trained on.
public struct BFloat16Check: Codable, Sendable, Hashable {
    /// The share of images with the same best class from which on bfloat16 is offered.
    public static let wantedAgreement = 0.995

    /// Images that a training compares if it has as many: of fewer than two hundred not one may differ.
    public static let wantedImages = 400

    /// Images compared.
    public var images: Int
    /// Images whose best class is the same in both.
    public var agreeing: Int

    public init(images: Int = 0, agreeing: Int = 0) {
        self.images = images
        self.agreeing = agreeing
    }

    /// The share of images that agree; 0 where none was compared.
    public var agreement: Double { images > 0 ? Double(agreeing) / Double(images) : 0 }

    /// Whether the network may classify in bfloat16.
    public var isPassed: Bool { agreement >= Self.wantedAgreement && agreeing <= images }
}
