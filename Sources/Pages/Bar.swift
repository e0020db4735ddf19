/// A share as a bar, in a cell of its own.
public enum Bar {
    /// CSS for a page with bars.
    public static let style = """
        .bar { width: 40%; }
        .bar div { background: var(--mark); height: .7rem; margin-top: .35rem; min-width: 1px; border-radius: .2rem; }
        """

    /// Of a row, where the row has it as `share`: a whole number of hundredths.
    public static let template = #"<td class="bar"><div style="width: {{share}}%"></div></td>"#
}
