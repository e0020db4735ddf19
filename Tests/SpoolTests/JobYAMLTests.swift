import Testing

@testable import Spool

@Suite struct JobYAMLTests {
    @Test(arguments: [
        ("", "{}"),
        ("# nothing\n", "{}"),
        ("epochs: 3\nlr: 1e-3\nmodel_size: 1.0x\n", #"{"epochs":3,"lr":0.001,"model_size":"1.0x"}"#),
        (
            "a: true\nb: no\nc: ~\nd: \"12\"\ne: [1, 2.5, x]\n",
            #"{"a":true,"b":"no","c":null,"d":"12","e":[1,2.5,"x"]}"#
        ),
        ("deep: {er: {est: 'a \"b\"'}}", #"{"deep":{"er":{"est":"a \"b\""}}}"#),
        ("note: salt & pepper * 2", #"{"note":"salt & pepper * 2"}"#),
        ("seed: -7\nempty:\n", #"{"seed":-7,"empty":null}"#),
        ("\u{FEFF}a: 1\nb: 2\n", #"{"a":1,"b":2}"#),
        ("text: |\n  two\n  lines\n", #"{"text":"two\nlines\n"}"#),
    ])
    func `a mapping becomes a JSON object`(yaml: String, json: String) throws {
        #expect(try JobYAML.json(from: Array(yaml.utf8)) == json)
    }

    @Test(arguments: [
        ("epochs: 1\nepochs: 2\n", "'epochs' stands there a second time"),
        ("- a\n- b\n", "line 1: it holds a list, not a mapping"),
        ("just words", "line 1: it holds a single value, not a mapping"),
        ("a: 1\nb: [1, 2\n", "line"),
        ("a: &x [1]\nb: *x\n", "line 1 has an anchor"),
        ("a: 1\n---\nb: 2\n", "another document"),
        ("n: .inf\n", "line 1: '.inf' is no number"),
        ("n: 99999999999999999999\n", "too large"),
        ("[1]: 2\n", "stands where a key is wanted"),
        ("a: \"\\0\"\n", "NUL"),
        ("\tx: 1\n", "line 1"),
    ])
    func `anything else is refused with the place`(yaml: String, sentence: String) {
        let mistake = #expect(throws: JobYAML.Mistake.self) { try JobYAML.json(from: Array(yaml.utf8)) }
        #expect(mistake?.description.contains(sentence) == true, "\(mistake?.description ?? "")")
    }

    @Test func `bombs are refused without being built`() {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<30 { bomb += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1), *a\(level - 1)]\n" }
        #expect(throws: JobYAML.Mistake.self) { try JobYAML.json(from: Array(bomb.utf8)) }
        let nest = "a: " + String(repeating: "[", count: 60_000)
        #expect(throws: JobYAML.Mistake.self) { try JobYAML.json(from: Array(nest.utf8)) }
        let blocks = String(repeating: "- ", count: 30_000)
        #expect(throws: JobYAML.Mistake.self) { try JobYAML.json(from: Array(blocks.utf8)) }
        let fair = "a: " + String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(throws: JobYAML.Mistake.self) { try JobYAML.json(from: Array(fair.utf8)) }
        #expect(throws: JobYAML.Mistake.self) { try JobYAML.json(from: [0x61, 0x3A, 0x20, 0xFF]) }
    }

    @Test func `random bytes never trap`() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("ab:-?&*!|>'\"{}[],#%@ \n\t0.~<=".utf8) + [0xC2, 0x85, 0xFF]
        for _ in 0..<3000 {
            let bytes = (0..<Int.random(in: 1...60, using: &generator)).map { _ in alphabet.randomElement()! }
            _ = try? JobYAML.json(from: bytes)
        }
    }
}
