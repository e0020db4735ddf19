internal import Foundation

/// Where local times of a zone lie on the world's clock. All in seconds from 1970-01-01 00:00, UTC or local.
struct LocalTime {
    private let timeZone: TimeZone

    init(_ timeZone: TimeZone) { self.timeZone = timeZone }

    func offset(at instant: Int) -> Int {
        timeZone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(instant)))
    }

    /// The first instant at which the local clock shows `local`, or, if it never does, the first after the gap.
    func firstInstant(ofLocal local: Int) -> Int {
        // No zone is more than 14 hours from UTC, so one hour more on either side brackets the instant.
        let before = offset(at: local - 15 * 3600)
        let after = offset(at: local + 15 * 3600)
        let candidates = [local - before, local - after].filter { $0 + offset(at: $0) == local }
        if let first = candidates.min() { return first }
        // In a gap: under the offset of before it comes past the change, under that of after it has not come to it.
        var low = local - max(before, after)
        var high = local - min(before, after)
        let newOffset = offset(at: high)
        while low < high {
            let middle = low + (high - low) / 2
            if offset(at: middle) == newOffset { high = middle } else { low = middle + 1 }
        }
        return high
    }
}
