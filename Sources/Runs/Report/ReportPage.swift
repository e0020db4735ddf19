import Pages

/// What the template of a classification's report is filled with; its words are the template's names.
struct ReportPage {
    struct Label {
        var name: String
        var count: Int
        /// Of the files with a prediction, for the bar: a whole number of hundredths.
        var share: Int
        var certainty: String
    }

    struct Picture {
        var path: String
        var certainty: String
        /// Nil: the file could not be read again.
        var source: String?

        init(_ pick: ReportTally.Pick, source: String?) {
            path = pick.path
            certainty = ReportPage.percent(pick.probability)
            self.source = source
        }
    }

    struct Section {
        var name: String
        var count: Int
        var pictures: [Picture]

        init(label: String, count: Int, pictures: [Picture]) {
            name = ReportPage.name(of: label)
            self.count = count
            self.pictures = pictures
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
                certainty: Self.percent(group.sum / Double(group.count)))
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

    /// Tenths of a hundredth, by integer arithmetic: no locale.
    static func percent(_ probability: Double) -> String {
        let thousandths = Int((min(max(probability, 0), 1) * 1000).rounded())
        return "\(thousandths / 10).\(thousandths % 10) %"
    }

    static let template = HTMLPage(
        title: "{{folder}}: predictions",
        style: """
            .name { min-width: 7rem; } .bar { width: 40%; }
            .bar div { background: var(--mark); height: .7rem; margin-top: .35rem; min-width: 1px; border-radius: .2rem; }
            .sheet { display: grid; grid-template-columns: repeat(8, minmax(0, 1fr)); gap: .75rem; }
            @media (max-width: 50rem) { .sheet { grid-template-columns: repeat(4, minmax(0, 1fr)); } }
            figure { margin: 0; } figure img, .gone { display: block; width: 100%; aspect-ratio: 1; border-radius: .4rem;
              background: var(--card); }
            figcaption { font-size: .8rem; overflow-wrap: anywhere; } figcaption b { display: block; }
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
            <td class="bar"><div style="width: {{share}}%"></div></td><td class="number">{{certainty}}</td></tr>
            {{/labels}}
            </table></div>
            <p class="faint">Below, of each label: the surest pictures, and then the least sure.</p>
            {{#sections}}
            <h2>{{name}} <span class="faint">{{count}}</span></h2>
            <div class="sheet">
            {{#pictures}}
            <figure>{{#source}}<img src="{{{.}}}" alt="" loading="lazy">{{/source}}{{^source}}<div class="gone"></div>{{/source}}
            <figcaption><b>{{certainty}}</b>{{path}}</figcaption></figure>
            {{/pictures}}
            </div>
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
