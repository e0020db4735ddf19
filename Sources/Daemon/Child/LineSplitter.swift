/// Cuts a byte stream into lines; a line past the limit is dropped whole and counted.
struct LineSplitter {
    /// Bytes a line may have. Events are short; whatever is longer is no event.
    let limit: Int
    private(set) var overlong = 0
    private var pending: [UInt8] = []
    private var skipping = false

    init(limit: Int) {
        self.limit = limit
    }

    /// Takes the next bytes and calls `body` for each line that is complete, without its end.
    mutating func feed(_ bytes: UnsafeRawBufferPointer, _ body: ([UInt8]) -> Void) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            append(rest[..<end])
            rest = rest[(end + 1)...]
            flush(body)
        }
        append(rest)
    }

    /// Takes what came after the last line end for a line of its own, when there is something.
    mutating func finish(_ body: ([UInt8]) -> Void) {
        if !pending.isEmpty || skipping { flush(body) }
    }

    private mutating func append(_ bytes: Slice<UnsafeRawBufferPointer>) {
        if skipping { return }
        if pending.count + bytes.count > limit {
            skipping = true
            pending.removeAll()
        } else {
            pending.append(contentsOf: bytes)
        }
    }

    private mutating func flush(_ body: ([UInt8]) -> Void) {
        if skipping {
            overlong += 1
        } else {
            body(pending)
        }
        skipping = false
        pending.removeAll(keepingCapacity: true)
    }
}
