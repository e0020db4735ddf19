/// A number and what it is of, for the row of them at the head of a page.
public struct Tile {
    var number: String
    var word: String

    public init(_ number: String, _ word: String) {
        self.number = number
        self.word = word
    }

    /// Of a row, where the page's values have it as `tiles`.
    public static let template =
        #"<div class="tiles">{{#tiles}}<div class="tile"><b>{{number}}</b>{{word}}</div>{{/tiles}}</div>"#
}
