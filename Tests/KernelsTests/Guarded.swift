import Support

/// Values with guards behind them: a kernel that writes past its end is caught.
final class Guarded<Element: BinaryFloatingPoint & BitwiseCopyable> {
    private static var guards: Int { 48 }
    private static var mark: Element { -12_345 }

    let count: Int
    private let buffer: AlignedBuffer<Element>

    var pointer: UnsafeMutablePointer<Element> { buffer.pointer }
    var values: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

    init(_ values: [Element]) {
        count = values.count
        buffer = AlignedBuffer(values + [Element](repeating: Self.mark, count: Self.guards))
    }

    /// Filled with a value that no kernel leaves standing.
    convenience init(count: Int) {
        self.init([Element](repeating: 999, count: count))
    }

    /// True when nothing behind the end was touched.
    var isIntact: Bool {
        (count..<count + Self.guards).allSatisfy { buffer.pointer[$0] == Self.mark }
    }
}

/// Seeded test values in -1 ..< 1.
func noise(_ count: Int, seed: UInt64 = 1) -> [Float] {
    var generator = SeededGenerator(seed: seed, stream: count)
    return (0..<count).map { _ in 2 * generator.nextUnit() - 1 }
}

/// Same count and |a − b| ≤ atol + rtol·|b| everywhere; not-a-number is close to nothing.
func isClose(_ a: [Float], _ b: [Float], rtol: Float = 1e-5, atol: Float = 1e-6) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= atol + rtol * abs($1) }
}
