/// A confusion matrix as a table of a page, each cell tinted by its share of the row.
struct ConfusionMatrix {
    struct Row {
        var name: String
        var cells: [Cell]
    }

    struct Cell {
        /// Nil: none, and nothing stands there.
        var count: Int?
        /// Of the row: a whole number of hundredths.
        var share: Int
        /// Names its tint.
        var kind: String
    }

    /// More classes have no room.
    static let largest = 24

    var heads: [String]
    var rows: [Row]

    /// Nil for too many classes.
    ///
    /// - Parameter confusion: `[actual][predicted]`.
    init?(_ confusion: [[Int]], names: [String]) {
        guard names.count <= Self.largest else { return nil }
        heads = names
        rows = zip(names, confusion).enumerated().map { actual, row in
            let sum = max(row.1.reduce(0, +), 1)
            return Row(
                name: row.0,
                cells: row.1.enumerated().map { predicted, count in
                    Cell(
                        count: count == 0 ? nil : count, share: count * 100 / sum,
                        kind: predicted == actual ? "hit" : "miss")
                })
        }
    }

    static let style = """
        .matrix { width: auto; }
        .matrix th { text-align: right; vertical-align: bottom; padding: .2rem .5rem; }
        .matrix th:first-child { min-width: 7rem; }
        .matrix .head { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; max-height: 10rem; }
        .matrix td { text-align: center; min-width: 2.5rem; padding: .2rem; border: 1px solid var(--line);
          font-variant-numeric: tabular-nums; background: color-mix(in srgb, var(--tint) var(--share), transparent); }
        .hit { --tint: color-mix(in srgb, var(--mark) 60%, transparent); }
        .miss { --tint: color-mix(in srgb, var(--bad) 60%, transparent); }
        """

    /// Of one, where the page's values have it as `matrix`.
    static let template = """
        {{#matrix}}
        <h2>Confusion matrix</h2>
        <p class="faint">Down: what the pictures are; across: what the model takes them for. Colours by share of the row.</p>
        <div class="scroll"><table class="matrix">
        <tr><th></th>{{#heads}}<th><div class="head">{{.}}</div></th>{{/heads}}</tr>
        {{#rows}}
        <tr><th>{{name}}</th>{{#cells}}<td class="{{kind}}" style="--share: {{share}}%">{{count}}</td>{{/cells}}</tr>
        {{/rows}}
        </table></div>
        {{/matrix}}
        """
}
