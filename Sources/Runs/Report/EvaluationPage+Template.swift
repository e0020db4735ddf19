import Pages

extension EvaluationPage {
    static let template = HTMLPage(
        title: "{{checkpoint}}: evaluation",
        style: """
            .name { min-width: 7rem; } .note { color: var(--bad); font-weight: 600; }
            \(Bar.style)
            \(ConfusionMatrix.style)
            \(Figure.style)
            """,
        body: """
            <h1>{{checkpoint}}</h1>
            <p class="faint">{{path}}, measured in {{precision}} on {{records}}; all figures are in eval.json</p>
            {{#isFamiliar}}
            <p class="note">The model was trained on these records, or most of them.</p>
            {{/isFamiliar}}
            \(Tile.template)
            \(ConfusionMatrix.template)
            {{#confusions}}
            <h2>Most frequent confusions</h2>
            <div class="scroll"><table>
            <tr><th>actual → predicted</th><th class="number">pictures</th><th class="bar"></th>
            <th class="number">of the actual class</th></tr>
            {{#rows}}
            <tr><td class="name">{{actual}} → {{predicted}}</td><td class="number">{{count}}</td>
            \(Bar.template)<td class="number">{{percent}}</td></tr>
            {{/rows}}
            </table></div>
            {{/confusions}}
            <h2>Classes, the weakest first</h2>
            <div class="scroll"><table>
            <tr><th>class</th><th class="number">pictures</th><th class="bar"></th><th class="number">recall</th>
            <th class="number">precision</th><th class="number">F1</th></tr>
            {{#classes}}
            <tr><td class="name">{{name}}</td><td class="number">{{support}}</td>
            \(Bar.template)<td class="number">{{recall}}</td>
            <td class="number">{{precision}}</td><td class="number">{{f1}}</td></tr>
            {{/classes}}
            </table></div>
            {{#furtherClasses}}
            <p class="faint">and {{.}} more in eval.json</p>
            {{/furtherClasses}}
            {{#mistakes}}
            <h2>The surest mistakes</h2>
            <p class="faint">Actual → predicted, and how sure the model was. Where it is surest, it is often the label that is wrong.</p>
            \(Figure.template)
            {{/mistakes}}
            """)
}
