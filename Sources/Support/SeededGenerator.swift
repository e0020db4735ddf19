/// A small reproducible random generator: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators", OOPSLA 2014).
///
/// Streams are addressed, not shared: a generator for one purpose is made from the run's seed and a path of numbers
/// (epoch, record, …), so what one record draws never depends on how many threads drew before it, and a resumed run
/// needs no saved generator state.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    /// The stream of `seed` for one address, for instance `SeededGenerator(seed: 7, stream: epoch, record)`.
    public init(seed: UInt64, stream: Int...) {
        var mixed = Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15)
        for part in stream {
            mixed = Self.mix(mixed ^ Self.mix(UInt64(bitPattern: Int64(part)) &+ 0x9E37_79B9_7F4A_7C15))
        }
        state = mixed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    /// A uniform value in [0, 1) with 24 random bits.
    public mutating func nextUnit() -> Float {
        Float(next() >> 40) * 0x1p-24
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
