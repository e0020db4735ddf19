import Foundation

/// libFuzzer on cron expressions, and on the times at which one fires. The first two bytes choose the hour to start
/// from (of the years 1970 to 2037), the third the time zone.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 3 else { return 0 }
    let bytes = UnsafeBufferPointer(start: start, count: count)
    guard let expression = try? CronExpression(String(decoding: bytes[3...], as: UTF8.self)) else { return 0 }
    let zone = zones[Int(bytes[2]) % zones.count]
    var instant = Date(timeIntervalSince1970: (Double(bytes[0]) * 256 + Double(bytes[1])) * 9 * 3600)
    for _ in 0..<3 {
        guard let next = expression.nextFire(after: instant, in: zone) else { break }
        precondition(next > instant, "\(next) is not after \(instant)")
        instant = next
    }
    return 0
}

private let zones = [
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu",
    "Africa/Casablanca", "America/St_Johns",
].map { TimeZone(identifier: $0)! }
