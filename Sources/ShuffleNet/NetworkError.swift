/// A name or a length that does not belong to the network.
public enum NetworkError: Error, Hashable, Sendable, CustomStringConvertible {
    case unknownParameter(String)
    case wrongCount(name: String, found: Int, wanted: Int)

    public var description: String {
        switch self {
        case .unknownParameter(let name):
            "the network has no parameter '\(name)'; its names are MindSpore's, for instance 'first_conv.0.weight'"
        case .wrongCount(let name, let found, let wanted):
            "parameter '\(name)' has \(wanted) values, but \(found) were given"
        }
    }
}
