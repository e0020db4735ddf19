import Foundation
import Support
import Testing

@Suite struct LargePagesTests {
    private static let sizes = [1, 100 << 10, 128 << 10, 200 << 10, 3 << 20, (16 << 20) - 8, 16 << 20, (17 << 20) + 8]

    /// The ends and something of each small page between.
    private static func samples(of buffer: AlignedBuffer<Int>) -> [Int] {
        Array(stride(from: 0, to: buffer.count, by: 512)) + [buffer.count - 1]
    }

    @Test("Blocks of any size are zero, on a cache line's boundary, and apart from one another")
    func blocks() {
        let buffers = (Self.sizes + Self.sizes).map { AlignedBuffer<Int>(count: ($0 + 7) / 8) }
        for (number, buffer) in buffers.enumerated() {
            #expect(Int(bitPattern: buffer.pointer) % 64 == 0)
            #expect(Self.samples(of: buffer).allSatisfy { buffer[$0] == 0 })
            for index in Self.samples(of: buffer) { buffer[index] = number + 1 }
        }
        for (number, buffer) in buffers.enumerated() {
            #expect(Self.samples(of: buffer).allSatisfy { buffer[$0] == number + 1 })
        }
    }

    @Test("A block that goes leaves its neighbours as they are, and the memory goes with the last of them")
    func ends() throws {
        func mapped() throws -> Int {
            let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
            return try #require(Int(fields[0])) * Int(getpagesize())
        }
        let before = try mapped()
        for _ in 0..<100 {
            var buffers = (0..<40).map { _ in AlignedBuffer<UInt8>(count: 4 << 20) }
            for buffer in buffers { buffer[buffer.count - 1] = 7 }
            let kept = buffers[17]
            buffers.removeAll()
            #expect(kept[0] == 0 && kept[kept.count - 1] == 7)
        }
        // 16 GiB came and went; other tests have their own meanwhile.
        #expect(try mapped() - before < 8 << 30)
    }
}
