/// Finds the name somebody probably meant.
enum NearestName {
    /// The known name nearest to `word` by edit distance, if it is near enough to be a slip of the keys.
    static func of(_ word: String, in known: some Sequence<String>) -> String? {
        let ranked = known.map { (name: $0, distance: distance(Array(word.utf8), Array($0.utf8))) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(1, min(3, word.utf8.count / 3)) ? best.name : nil
    }

    /// Levenshtein's distance: insertions, deletions and replacements, one each.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, left) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, right) in b.enumerated() {
                let replaced = diagonal + (left == right ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}
