/// The four widths of ShuffleNet V1, spelled as in the source document.
public enum ModelSize: String, Codable, CaseIterable, Sendable {
    case half = "0.5x"
    case full = "1.0x"
    case oneAndHalf = "1.5x"
    case double = "2.0x"
}
