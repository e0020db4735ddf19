extension String {
    /// The text with these scalars replaced.
    ///
    /// For quoting: `replacing` goes by whole characters, and a quote with an accent on it is a character of its own,
    /// while whoever reads the text sees the quote.
    public func replacing(scalars: [Unicode.Scalar: String]) -> String {
        var replaced = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if let other = scalars[scalar] {
                replaced.append(contentsOf: other.unicodeScalars)
            } else {
                replaced.append(scalar)
            }
        }
        return String(replaced)
    }
}
