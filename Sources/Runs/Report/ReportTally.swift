/// What a page says about a table of predictions: how many there are of what, and which to show.
struct ReportTally {
    /// A picture to show.
    struct Pick {
        var place: Int
        var path: String
        var probability: Double
    }

    /// The pictures of one label, or those without one for want of certainty.
    struct Group {
        var count = 0
        var sum = 0.0
        /// The surest, surest first; of equals the first in the table.
        var surest: [Pick] = []
        /// The least sure of those that are not among the surest, least sure first.
        var leastSure: [Pick] = []
    }

    /// Pictures to show of a group, half of them the surest and half of them the least sure.
    static let picksPerGroup = 8
    /// Groups with pictures, largest first.
    static let shownGroups = 24
    /// Files without a prediction that are named.
    static let shownFailures = 200

    private(set) var files = 0
    private(set) var statuses: [Prediction.Status: Int] = [:]
    /// By label; without one under "".
    private(set) var groups: [String: Group] = [:]
    private(set) var failures: [PredictionRow] = []
    private(set) var model = ""

    mutating func add(_ row: PredictionRow) {
        files += 1
        statuses[row.status, default: 0] += 1
        model = row.model
        if let probability = row.probability {
            groups[row.label, default: Group()].add(
                Pick(place: row.place, path: row.path, probability: probability))
        } else if failures.count < Self.shownFailures {
            failures.append(row)
        }
    }

    /// Largest first, of equals by label; those without a label last.
    var ordered: [(label: String, group: Group)] {
        groups.sorted {
            ($0.key.isEmpty ? 1 : 0, -$0.value.count, $0.key) < ($1.key.isEmpty ? 1 : 0, -$1.value.count, $1.key)
        }.map { (label: $0.key, group: $0.value) }
    }

    var failed: Int { files - groups.values.reduce(0) { $0 + $1.count } }
}

extension ReportTally.Group {
    fileprivate mutating func add(_ pick: ReportTally.Pick) {
        count += 1
        sum += pick.probability
        let half = ReportTally.picksPerGroup / 2
        // What is pushed out of the one may belong to the other.
        var rest: ReportTally.Pick? = pick
        let place = surest.firstIndex { $0.probability < pick.probability } ?? surest.count
        if place < half {
            surest.insert(pick, at: place)
            rest = surest.count > half ? surest.removeLast() : nil
        }
        guard let rest else { return }
        let lower = leastSure.firstIndex { $0.probability > rest.probability } ?? leastSure.count
        if lower < half {
            leastSure.insert(rest, at: lower)
            if leastSure.count > half { leastSure.removeLast() }
        }
    }
}
