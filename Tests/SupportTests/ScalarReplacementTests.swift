import Support
import Testing

@Suite struct ScalarReplacementTests {
    @Test("A quote is found also where an accent stands on it, and in a line end")
    func accents() {
        #expect("a\"\u{301}b".replacing(scalars: ["\"": "\"\""]) == "a\"\"\u{301}b")
        #expect("a\r\nb'".replacing(scalars: ["\n": "", "'": "''"]) == "a\rb''")
        #expect("plain é".replacing(scalars: ["\"": "x"]) == "plain é")
    }
}
