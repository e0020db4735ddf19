import Kernels
import Support

/// Values with guards behind them: a kernel that writes past its end is caught.
final class Guarded<Element: GuardedElement> {
    private static var guards: Int { 48 }
    private static var mark: Element { .mark(-12_345) }

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
        self.init([Element](repeating: .mark(999), count: count))
    }

    /// True when nothing behind the end was touched.
    var isIntact: Bool {
        (count..<count + Self.guards).allSatisfy { buffer.pointer[$0] == Self.mark }
    }
}

/// What kernels write.
protocol GuardedElement: BitwiseCopyable, Equatable {
    /// `value` or near it.
    static func mark(_ value: Float) -> Self
}

extension Float: GuardedElement {
    static func mark(_ value: Float) -> Float { value }
}

extension Double: GuardedElement {
    static func mark(_ value: Float) -> Double { Double(value) }
}

extension UInt8: GuardedElement {
    static func mark(_ value: Float) -> UInt8 { UInt8(truncatingIfNeeded: Int(value)) }
}

extension BFloat16: GuardedElement {
    static func mark(_ value: Float) -> BFloat16 { BFloat16(rounding: value) }
}

/// What activations are stored as, and how closely a kernel's results are held to those of the plain form, which gets the
/// same rounded inputs.
protocol TestScalar: ActivationScalar, GuardedElement {
    static var rtol: Float { get }
    static var atol: Float { get }
}

extension Float: TestScalar {
    static var rtol: Float { 1e-5 }
    static var atol: Float { 1e-6 }
}

extension BFloat16: TestScalar {
    // Sums may fall on either side of a rounding: one unit in the last place.
    static var rtol: Float { 1 / 128 }
    static var atol: Float { 1e-5 }
}

/// Seeded test values in -1 ..< 1.
func noise<Scalar: ActivationScalar>(_ count: Int, seed: UInt64 = 1, as _: Scalar.Type = Float.self) -> [Scalar] {
    var generator = SeededGenerator(seed: seed, stream: count)
    return (0..<count).map { _ in Scalar(rounding: 2 * generator.nextUnit() - 1) }
}

extension Array where Element: ActivationScalar {
    var floats: [Float] { map(\.float) }
}

/// Same count and |a − b| ≤ atol + rtol·|b| everywhere; not-a-number is close to nothing.
func isClose<Scalar: TestScalar>(
    _ a: [Scalar], _ b: [Float], rtol: Float = Scalar.rtol, atol: Float = Scalar.atol
) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0.float - $1) <= atol + rtol * abs($1) }
}
