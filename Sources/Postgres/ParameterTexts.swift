/// The parameters of one statement as libpq wants them: C strings, all in one buffer.
struct ParameterTexts: Sendable {
    private var bytes: [CChar] = []
    /// Where each begins; nil is NULL.
    private var starts: [Int?] = []

    /// Throws `PostgresError` for a text that holds a zero byte.
    init(_ parameters: [any PostgresParameter]) throws {
        starts.reserveCapacity(parameters.count)
        for (index, parameter) in parameters.enumerated() {
            guard let text = parameter.postgresText else {
                starts.append(nil)
                continue
            }
            starts.append(bytes.count)
            for byte in text.utf8 {
                guard byte != 0 else {
                    throw PostgresError(.dataException, "parameter $\(index + 1) holds a zero byte, which text can't")
                }
                bytes.append(CChar(bitPattern: byte))
            }
            bytes.append(0)
        }
    }

    var count: Int32 { Int32(starts.count) }

    /// The pointers are good inside `body` only.
    func withPointers<Result>(_ body: ([UnsafePointer<CChar>?]) throws -> Result) rethrows -> Result {
        try bytes.withUnsafeBufferPointer { buffer in
            try body(starts.map { start in start.flatMap { start in buffer.baseAddress.map { $0 + start } } })
        }
    }
}
