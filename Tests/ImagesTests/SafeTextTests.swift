import Images
import Testing

@testable import Runs

@Suite("Names in predictions.csv")
struct SafeTextTests {
    @Test(
        "any name becomes one line of UTF-8 that no spreadsheet takes for a formula, and leads back to its bytes",
        arguments: [
            "a.jpg", "sub/ä ö.jpg", "=cmd|' /C calc'!A0.jpg", "+1.jpg", "-rf.jpg", "@SUM(A1).png", "\t=1.png",
            "two\nlines\r.png", "back\\slash", "\\x41", "\"quoted\", and more;=1", "bell\u{7}",
            "nel\u{85}ls\u{2028}ps\u{2029}",
            "\u{FF1D}1", " =1", "a;=1", ";; \"=1", "a;\u{FF20}1", "'", ".hidden/=x", "e\u{301}\u{1F600}", "",
        ])
    func names(name: String) {
        check(Array(name.utf8))
    }

    @Test(
        "bytes that are no UTF-8 survive",
        arguments: [
            [0xFF], [0x61, 0xC3, 0x28], [0xED, 0xA0, 0x80, 0x2E], [0xF0, 0x9F, 0x98], [0xC0, 0xAF], [0x3D, 0xFF],
            Array(1...46) + Array(48...255),
        ] as [[UInt8]])
    func bytes(bytes: [UInt8]) {
        check(bytes)
    }

    @Test(
        "the escape is the documented one",
        arguments: [
            ([0x61, 0xFF, 0x5C, 0x0A], "a\\xFF\\\\\\x0A"), (Array("=a".utf8), "./=a"), (Array("ä".utf8), "ä"),
        ] as [([UInt8], String)])
    func documented(bytes: [UInt8], text: String) {
        #expect(SafeText.escaped(path: RawPath(bytes: bytes)) == text)
    }

    @Test("of other text than paths the formula's sign is escaped")
    func labels() {
        #expect(SafeText.escaped("=1+1") == "\\x3D1+1")
        #expect(SafeText.escaped("\u{FF1D}1") == "\\xEF\\xBC\\x9D1")
        #expect(SafeText.escaped("tulip") == "tulip")
    }

    @Test(
        "a semicolon that a formula follows is escaped, any other is not",
        arguments: [
            ("rose;=1+1", "rose\\x3B=1+1"), ("a; \"@b", "a\\x3B \"@b"), ("a;\u{FF1D}1", "a\\x3B\u{FF1D}1"),
            ("GIF data; JPEG is read", "GIF data; JPEG is read"), ("a;", "a;"), ("a; b=1;;-", "a; b=1;\\x3B-"),
        ])
    func semicolons(text: String, escaped: String) {
        #expect(SafeText.escaped(text) == escaped)
        #expect(SafeText.escaped(path: RawPath(text)) == escaped)
    }

    private func check(_ bytes: [UInt8]) {
        let text = SafeText.escaped(path: RawPath(bytes: bytes))
        #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
        #expect(text.unicodeScalars.first.map { !"=+-@\u{FF1D}".unicodeScalars.contains($0) } ?? true)
        #expect(unescaped(text) == bytes)
    }

    /// The rule read backwards.
    private func unescaped(_ text: String) -> [UInt8] {
        var rest = Array(text.utf8)[...]
        if rest.starts(with: Array("./".utf8)) { rest = rest.dropFirst(2) }
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            if rest.popFirst() == UInt8(ascii: "x") {
                bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
