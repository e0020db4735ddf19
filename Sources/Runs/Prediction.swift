import Images

/// What became of one input file: a row of predictions.csv.
struct Prediction {
    enum Status: String {
        case ok, abstain, unreadable, unsupported, missing
        case tooLarge = "too_large"
    }

    var path: RawPath
    var status: Status
    /// The best classes with their probabilities, best first; empty where there was no image to look at.
    var ranking: [(index: Int, probability: Double)]
    var width: Int?
    var height: Int?
    var sha256: String?
    var error: String?
}

/// The columns of predictions.csv for one model: RFC 4180, UTF-8, a line a row; `SafeText` says how names are written.
///
/// `path,status,label,label_index,probability,margin,top2_label,top2_probability,…,width,height,sha256,error,model`;
/// `margin` is the lead over the second class. An `abstain` row keeps its figures and leaves the label empty.
struct PredictionTable {
    let classNames: [String]
    let topK: Int
    let model: String

    init(classNames: [String], topK: Int, model: String) {
        self.classNames = classNames.map(SafeText.escaped)
        self.topK = min(topK, classNames.count)
        self.model = SafeText.escaped(model)
    }

    static let columns = ["path", "status", "label", "label_index", "probability", "margin"]
    /// How every table of predictions begins.
    static let firstColumns = columns.joined(separator: ",")

    var header: String {
        let further = (2..<max(topK + 1, 2)).flatMap { ["top\($0)_label", "top\($0)_probability"] }
        return CSV.line(Self.columns + further + ["width", "height", "sha256", "error", "model"])
    }

    /// What the row of a file begins and ends with, whatever became of it.
    func margins(of path: RawPath) -> (start: String, end: String) {
        (Self.start(of: path), "," + CSV.quoted(model) + "\r\n")
    }

    /// What the row of a file begins with in every table.
    static func start(of path: RawPath) -> String { CSV.quoted(SafeText.escaped(path: path)) + "," }

    func row(_ prediction: Prediction) -> String {
        let ranking = prediction.ranking
        var fields = [SafeText.escaped(path: prediction.path), prediction.status.rawValue]
        if let best = ranking.first {
            let second = ranking.count > 1 ? ranking[1].probability : 0
            let named = prediction.status == .ok
            fields += [named ? classNames[best.index] : "", named ? "\(best.index)" : ""]
            fields += [Self.decimal(best.probability), Self.decimal(best.probability - second)]
        } else {
            fields += ["", "", "", ""]
        }
        for rank in 1..<max(topK, 1) {
            fields +=
                rank < ranking.count
                ? [classNames[ranking[rank].index], Self.decimal(ranking[rank].probability)] : ["", ""]
        }
        fields += [prediction.width.map { "\($0)" } ?? "", prediction.height.map { "\($0)" } ?? ""]
        fields += [prediction.sha256 ?? "", prediction.error.map(SafeText.escaped) ?? "", model]
        return CSV.line(fields)
    }

    /// Six decimals, by integer arithmetic: no locale, no exponent.
    private static func decimal(_ probability: Double) -> String {
        let millionths = Int((min(max(probability, 0), 1) * 1_000_000).rounded())
        let digits = String(millionths % 1_000_000)
        return "\(millionths / 1_000_000)." + String(repeating: "0", count: 6 - digits.count) + digits
    }
}
