/// How pictures are decoded in processes of their own, so that a decoder that crashes, hangs or is taken over on one
/// file costs that file and nothing else.
public struct DecodeIsolation: Sendable, Hashable {
    /// The program and its arguments; it must call `DecodeHelperProgram.run()`.
    public var program: String
    public var arguments: [String]

    public init(program: String, arguments: [String]) {
        self.program = program
        self.arguments = arguments
    }

    /// This very program, also when its file was replaced since it began.
    public static let ownProgram = DecodeIsolation(program: "/proc/self/exe", arguments: ["decode-helper"])
}
