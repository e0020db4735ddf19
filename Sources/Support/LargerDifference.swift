/// The larger of two differences, for verifying numbers: one that is no number is infinite, where `max` would pass over
/// it and leave what was computed wrong unnoticed.
public func largerDifference<Value: FloatingPoint>(_ a: Value, _ b: Value) -> Value {
    a.isNaN || b.isNaN ? .infinity : max(a, b)
}
