import Testing

@testable import Spool

@Suite struct EntryNameTests {
    @Test(arguments: [
        ("batch-0412", Array("batch-0412".utf8)),
        ("Blumen für Zoë 🌼", Array("Blumen für Zoë 🌼".utf8)),
        ("50%", Array("50%".utf8)),
        ("a%25FF", Array("a%FF".utf8)),
        ("line%0Abreak", Array("line\nbreak".utf8)),
        ("%FF%FEx", [0xFF, 0xFE, 0x78]),
        ("cut%C3", [0x63, 0x75, 0x74, 0xC3]),
        ("csi%C2%9B", [0x63, 0x73, 0x69, 0xC2, 0x9B]),
        ("-rf", Array("-rf".utf8)),
    ])
    func `a name is escaped so that it can be read, and the bytes come back`(escaped: String, bytes: [UInt8]) {
        #expect(EntryName(bytes: bytes).escaped == escaped)
        #expect(EntryName.unescape(escaped) == bytes)
    }

    @Test func `any bytes survive the escape`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let length = Int.random(in: 1...40, using: &generator)
            let alphabet: [UInt8] = [0x25, 0x41, 0x35, 0x0A, 0xC3, 0xA4, 0xE2, 0x82, 0xAC, 0xF0, 0xFF, 0x80, 0x62]
            let bytes = (0..<length).map { _ in alphabet.randomElement(using: &generator)! }
            #expect(EntryName.unescape(EntryName.escape(bytes)) == bytes)
        }
    }

    @Test func `two long names keep two stems that leave room for a suffix`() {
        let first = EntryName(String(repeating: "ä", count: 120) + "1")
        let second = EntryName(String(repeating: "ä", count: 120) + "2")
        #expect(first.stem != second.stem)
        #expect(first.stem.utf8.count <= 200)
        #expect(EntryName(bytes: Array(repeating: 0xFF, count: 255)).stem.utf8.count <= 200)
        #expect(EntryName("short").stem == "short")
    }
}
