import Pages

/// What the template of a classification's report is filled with; its words are the template's names.
struct ClassificationPage {
    struct Label {
        var name: String
        var count: Int
        /// Of the files with a prediction, for the bar: a whole number of hundredths.
        var share: Int
        var certainty: String
    }

    struct Section {
        var name: String
        var count: Int
        var figures: [Figure]

        init(label: String, count: Int, figures: [Figure]) {
            name = ClassificationPage.name(of: label)
            self.count = count
            self.figures = figures
        }
    }

    struct Failure {
        var path: String
        var status: String
        var error: String
    }

    struct Failures {
        var files: [Failure]
        /// So many more are in the table; nil: none.
        var further: Int?
    }

    var folder: String
    var model: String
    var table: String
    var tiles: [Tile]
    var labels: [Label]
    var sections: [Section]
    /// Labels of which no picture is shown; nil: none.
    var furtherLabels: Int?
    /// Nil: none, and no section about them.
    var failures: Failures?

    init(
        folder: String, model: String, table: String, tally: ReportTally,
        groups: [(label: String, group: ReportTally.Group)], sections: [Section]
    ) {
        self.folder = folder
        self.model = model
        self.table = table
        let words: [(Prediction.Status, String)] = [
            (.ok, "with a label"), (.abstain, "not sure enough"), (.unreadable, "unreadable"),
            (.unsupported, "of another format"), (.tooLarge, "too large"), (.missing, "missing"),
        ]
        tiles =
            [Tile("\(tally.files)", tally.files == 1 ? "file" : "files")]
            + words.compactMap { status, word in tally.statuses[status].map { Tile("\($0)", word) } }
        let predicted = max(tally.files - tally.failed, 1)
        labels = groups.map { label, group in
            Label(
                name: Self.name(of: label), count: group.count, share: group.count * 100 / predicted,
                certainty: percent(group.sum / Double(group.count)))
        }
        self.sections = sections
        furtherLabels = groups.count > sections.count ? groups.count - sections.count : nil
        if tally.failed > 0 {
            failures = Failures(
                files: tally.failures.map { Failure(path: $0.path, status: $0.status.rawValue, error: $0.error) },
                further: tally.failed > tally.failures.count ? tally.failed - tally.failures.count : nil)
        }
    }

    private static func name(of label: String) -> String { label.isEmpty ? "no label" : label }

    static let template = HTMLPage(
        title: "{{folder}}: predictions",
        style: """
            .name { min-width: 7rem; }
            \(Bar.style)
            \(Figure.style)
            """,
        body: """
            <h1>{{folder}}</h1>
            <p class="faint">classified by {{model}}; every file has its row in {{table}}</p>
            \(Tile.template)
            <h2>Labels</h2>
            <div class="scroll"><table>
            <tr><th>label</th><th class="number">pictures</th><th class="bar"></th><th class="number">mean probability</th></tr>
            {{#labels}}
            <tr><td class="name">{{name}}</td><td class="number">{{count}}</td>
            \(Bar.template)<td class="number">{{certainty}}</td></tr>
            {{/labels}}
            </table></div>
            <p class="faint">Below, of each label: the surest pictures, and then the least sure.</p>
            {{#sections}}
            <h2>{{name}} <span class="faint">{{count}}</span></h2>
            \(Figure.template)
            {{/sections}}
            {{#furtherLabels}}
            <p class="faint">and {{.}} further labels without pictures here</p>
            {{/furtherLabels}}
            {{#failures}}
            <h2>Without a prediction</h2>
            <div class="scroll"><table>
            <tr><th>file</th><th>status</th><th>reason</th></tr>
            {{#files}}
            <tr><td>{{path}}</td><td>{{status}}</td><td>{{error}}</td></tr>
            {{/files}}
            </table></div>
            {{#further}}
            <p class="faint">and {{.}} more, which are in the table</p>
            {{/further}}
            {{/failures}}
            """)
}
