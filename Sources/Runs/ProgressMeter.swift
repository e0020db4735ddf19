/// Turns counts into progress events: no more often than the context wants them, with the rest of the time estimated from the rate so far.
struct ProgressMeter {
    private let context: RunContext
    private let total: Int
    /// Work done before this process began; it says nothing about this process's speed.
    private let head: Int
    private let started = ContinuousClock.now
    private var lastReport: ContinuousClock.Instant?

    init(context: RunContext, total: Int, alreadyDone: Int = 0) {
        self.context = context
        self.total = max(total, 1)
        head = alreadyDone
    }

    mutating func advance(to done: Int, message: @autoclosure () -> String) {
        let now = ContinuousClock.now
        if let lastReport, now - lastReport < context.progressInterval, done < total { return }
        lastReport = now
        let elapsed = (now - started) / .seconds(1)
        let fresh = done - head
        let eta = fresh > 0 && elapsed > 0 ? elapsed / Double(fresh) * Double(total - done) : nil
        context.emit(
            .progress(fraction: min(Double(done) / Double(total), 1), message: message(), etaSeconds: eta))
    }
}
