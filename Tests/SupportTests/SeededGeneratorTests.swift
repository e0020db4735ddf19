import Support
import Testing

@Suite("Seeded generator")
struct SeededGeneratorTests {
    @Test("SplitMix64 gives the published first values for seed 1234567")
    func publishedVector() {
        var generator = SeededGenerator(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        #expect((0..<5).map { _ in generator.next() } == expected)
    }

    @Test("streams of one seed differ by every part of their address, and repeat")
    func streams() {
        func first(_ stream: Int...) -> UInt64 {
            var generator =
                stream.count == 1
                ? SeededGenerator(seed: 1, stream: stream[0])
                : SeededGenerator(seed: 1, stream: stream[0], stream[1])
            return generator.next()
        }
        #expect(first(3, 4) == first(3, 4))
        #expect(Set([first(3), first(4), first(3, 4), first(4, 3), first(0, 0)]).count == 5)
    }

    @Test("unit values stay in [0, 1)")
    func unitRange() {
        var generator = SeededGenerator(seed: 9)
        let values = (0..<10_000).map { _ in generator.nextUnit() }
        #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(abs(values.reduce(0, +) / 10_000 - 0.5) < 0.02)
    }
}
