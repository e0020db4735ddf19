import Foundation
import Images
import ShuffleNet

extension TrainingSession {
    func announce(training: any Dataset, resumed: Bool) throws {
        let held = dataset.isDividedByHash ? ", held back by hash" : ""
        let count = dataset.validation?.limited(to: options.validationRecords).count
        try log(
            "\(dataset.kind.rawValue) '\(run.data)': \(training.count) training records, "
                + (count.map { "\($0) for validation\(held)" } ?? "none for validation")
                + ", \(dataset.classNames.count) classes")
        if !dataset.ignored.isEmpty {
            let names = dataset.ignored.prefix(5).map(SafeText.escaped).joined(separator: ", ")
            try log("\(dataset.ignored.count) files are no records: \(names)")
        }
        try log(
            "ShuffleNet V1 \(options.modelSize.rawValue), \(options.groups) groups, \(options.pixels) px, "
                + "batch \(options.batch), \(options.epochs) epochs, seed \(options.seed), \(options.precision.rawValue)"
        )
        if let validation = dataset.validation {
            let seen = Set((0..<validation.count).map { validation.label(at: $0) })
            let without = dataset.classNames.indices.filter { !seen.contains($0) }.map { dataset.classNames[$0] }
            if !without.isEmpty {
                let names = without.prefix(5).map(SafeText.escaped).joined(separator: ", ")
                try log("no validation records are of \(without.count) of the classes: \(names)")
            }
        }
        options.precision.announce(in: context)
        if options.dropsRemainder == nil, options.leavesOutRemainder(of: training.count) {
            try log(
                "each epoch leaves out \(training.count % options.batch) records, drawn anew, since statistics of a batch of so few "
                    + "spoil a step; drop_remainder false takes them all the same")
        }
        if resumed {
            try log(
                "resumed after epoch \(state.epoch), step \(state.step)"
                    + (run.from.map { "; '\($0)' is where a new run would begin" } ?? ""))
        }
    }
}
