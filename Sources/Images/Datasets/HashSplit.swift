internal import Support

/// Divides records by a hash of their names: a record stays on its side when others come or go, in every run, on every
/// machine.
public enum HashSplit {
    /// Whether the record of this name belongs to the `share` (0...1) that is held back for validation.
    public static func isHeldBack(_ recordName: String, share: Double) -> Bool { place(recordName) < share }

    /// Where the hash puts a name, 0..<1.
    private static func place(_ recordName: String) -> Double {
        // FNV-1a spreads short names badly over the upper bits; SplitMix64 finishes it.
        var generator = SeededGenerator(seed: FNV1a.hash(recordName))
        return Double(generator.next() >> 11) * 0x1p-53
    }

    /// The records kept for training and those held back, of which there may be none. A class that would have none left to
    /// train on keeps its first; one of which none would be held back, although it has as many as should make one, gives
    /// that of the smallest hash.
    public static func divide(
        _ dataset: any Dataset, share: Double
    ) -> (training: SubsetDataset, validation: SubsetDataset) {
        var classes: [Int: [Int]] = [:]
        for index in 0..<dataset.count { classes[dataset.label(at: index), default: []].append(index) }
        var held: Set<Int> = []
        for records in classes.values {
            let places = records.map { place(dataset.recordName(at: $0)) }
            var chosen = zip(records, places).filter { $0.1 < share }.map(\.0)
            if chosen.isEmpty, share > 0, Double(records.count) * share >= 1,
                let least = places.indices.min(by: { places[$0] < places[$1] })
            {
                chosen = [records[least]]
            }
            if chosen.count == records.count { chosen.removeFirst() }
            held.formUnion(chosen)
        }
        let all = 0..<dataset.count
        return (
            SubsetDataset(dataset, indices: all.filter { !held.contains($0) }),
            SubsetDataset(dataset, indices: all.filter(held.contains))
        )
    }
}
