/// A key of a job's arguments whose value is a name under a configured root, never a path.
enum NameKey: String {
    case dataset, images, model, from
    case published = "publish_as"

    /// What a job of this kind works on.
    static func data(of kind: JobSpecification.Kind) -> NameKey {
        switch kind {
        case .train, .evaluate: .dataset
        case .classify: .images
        }
    }

    /// All that a job of this kind may have.
    static func all(of kind: JobSpecification.Kind) -> [NameKey] {
        switch kind {
        case .train: [data(of: kind), .from, .published]
        case .evaluate, .classify: [data(of: kind), .model]
        }
    }
}
