/// The gradient of a ReLU.
public enum Rectifier {
    /// `gradient = out > 0 ? gradient : 0` in place; returns the sum of what remains.
    public static func backwardReference<Element: BinaryFloatingPoint>(
        _ gradient: UnsafeMutablePointer<Element>, out: UnsafePointer<Element>, _ count: Int
    ) -> Element {
        var sum: Element = 0
        for index in 0..<count {
            gradient[index] = out[index] > 0 ? gradient[index] : 0
            sum += gradient[index]
        }
        return sum
    }
}
