/// No picture can be decoded for the moment, which is the system's fault and none of the pictures'.
public struct DecodersUnavailable: Error, Sendable, Hashable, CustomStringConvertible {
    let cause: String

    public var description: String {
        "no decoder process could be started: \(cause); give it more descriptors, processes or memory (see ulimit), and run again"
    }
}
