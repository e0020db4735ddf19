internal import Mustache
internal import Support

/// A page that stands alone: one file, no script, nothing fetched from elsewhere.
///
/// Templates are Mustache (mustache(5)): `{{name}}` is escaped, `{{{name}}}` is not.
public struct HTMLPage: Sendable {
    private let template: MustacheTemplate

    /// Every page begins so, and none of anybody else.
    public static let mark = "<!doctype html>\n<!-- shufflenetd -->"

    /// - Parameters:
    ///   - title: template of the title.
    ///   - style: CSS beside `PageStyle`'s.
    ///   - head: further elements for the head.
    ///   - body: template of what stands in the body.
    public init(title: String, style: String = "", head: String = "", body: String) {
        Self.register
        let text = """
            {{% CONTENT_TYPE:\(ScalarEscaping.name)}}\(Self.mark)
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
            <title>\(title)</title>
            <style>
            \(PageStyle.common)
            \(style)
            </style>
            \(head)
            </head>
            <body>
            \(body)
            </body>
            </html>

            """
        do {
            template = try MustacheTemplate(string: text)
        } catch {
            preconditionFailure("a page's template is part of the program: \(error)")
        }
    }

    /// - Parameter values: a structure, whose properties are the template's names, or a dictionary.
    public func render(_ values: Any) -> String { template.render(values) }

    private static let register: Void = MustacheContentTypes.register(ScalarEscaping(), named: ScalarEscaping.name)
}

/// Escapes what means something in HTML; Mustache's own goes by whole characters.
private struct ScalarEscaping: MustacheContentType {
    static let name = "HTML_SCALARS"

    func escapeText(_ text: String) -> String {
        text.replacing(scalars: ["<": "&lt;", ">": "&gt;", "&": "&amp;", "\"": "&quot;", "'": "&#39;"])
    }
}
