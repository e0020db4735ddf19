/// A small picture and what there is to say of it, for a sheet of them on a page.
public struct Figure {
    var title: String
    var caption: String
    var source: String?

    /// - Parameter source: a data URI; nil: there is no picture any more.
    public init(_ title: String, _ caption: String, source: String?) {
        self.title = title
        self.caption = caption
        self.source = source
    }

    /// CSS for a page with sheets.
    public static let style = """
        .sheet { display: grid; grid-template-columns: repeat(8, minmax(0, 1fr)); gap: .75rem; }
        @media (max-width: 50rem) { .sheet { grid-template-columns: repeat(4, minmax(0, 1fr)); } }
        figure { margin: 0; } figure img, .gone { display: block; width: 100%; aspect-ratio: 1; border-radius: .4rem;
          background: var(--card); }
        figcaption { font-size: .8rem; overflow-wrap: anywhere; } figcaption b { display: block; }
        """

    /// Of a sheet, where the page's values have it as `figures`.
    public static let template = """
        <div class="sheet">
        {{#figures}}
        <figure>{{#source}}<img src="{{{.}}}" alt="" loading="lazy">{{/source}}{{^source}}<div class="gone"></div>{{/source}}
        <figcaption><b>{{title}}</b>{{caption}}</figcaption></figure>
        {{/figures}}
        </div>
        """
}
