/// Decides when one dropped folder is complete. A value: events go in, the next step comes out, the clock is a
/// parameter; it looks at nothing itself.
///
/// A folder rests from the later of the last hint of a change (inotify) and the last survey that differed from the one
/// before without a hint. Hints may be lost: two equal surveys a quiet period apart are the proof, hints only save
/// surveys.
struct FolderMachine: Sendable {
    struct Patience: Sendable, Equatable {
        var quiet: Duration?
        var settle: Duration

        /// A person who makes a folder first and fills it next gets twice the time.
        var emptyQuiet: Duration? { quiet.map { $0 * 2 } }
    }

    typealias Instant = ContinuousClock.Instant

    enum Event: Sendable {
        /// Renamed in from `tmp/`: complete by itself.
        case renamedIn
        /// Something in it was made, moved, removed or closed after writing.
        case touched
        case surveyed(FolderSurvey)
        /// The answer to `.verifyManifest`.
        case manifestVerified(Bool)
        /// The acceptance could not be finished for now (low disk, no database).
        case postponed(until: Instant)
        /// Time to look again, whatever is known.
        case rescan
    }

    enum Action: Equatable, Sendable {
        /// Nothing before this instant; `nil`: before the next event.
        case wait(until: Instant?)
        case survey
        case verifyManifest
        case accept(CompletionSign)
    }

    private let patience: Patience
    private var wasRenamedIn = false
    private(set) var last: FolderSurvey?
    private var restingSince: Instant
    /// A hint came after the last survey, so that a difference in the next one is explained.
    private var isHinted = false
    private var badManifest: Int?
    private var postponedUntil: Instant?

    init(patience: Patience, seenAt now: Instant) {
        self.patience = patience
        restingSince = now
    }

    mutating func handle(_ event: Event, at now: Instant) -> Action {
        switch event {
        case .renamedIn:
            wasRenamedIn = true
            return unlessPostponed(.accept(.renamed), now)
        case .touched:
            restingSince = now
            isHinted = true
            // Not at once: a copy of many files is surveyed when it pauses, not with every file.
            return wasRenamedIn ? unlessPostponed(.accept(.renamed), now) : .wait(until: now + patience.settle)
        case .rescan:
            return wasRenamedIn ? unlessPostponed(.accept(.renamed), now) : .survey
        case .postponed(let until):
            postponedUntil = until
            return .wait(until: until)
        case .surveyed(let survey):
            if survey.fingerprint != last?.fingerprint, !isHinted { restingSince = now }
            isHinted = false
            last = survey
            return unlessPostponed(judge(survey, now), now)
        case .manifestVerified(let isGood):
            if isGood { return unlessPostponed(.accept(.manifest), now) }
            badManifest = last?.fingerprint
            return judge(last, now)
        }
    }

    private mutating func judge(_ survey: FolderSurvey?, _ now: Instant) -> Action {
        guard let survey else { return .survey }
        var deadlines: [Instant] = []
        func rested(_ duration: Duration) -> Bool {
            let end = restingSince + duration
            if now >= end { return true }
            deadlines.append(end)
            return false
        }
        if survey.files > 0 {
            if survey.readyCameLast, rested(patience.settle) { return .accept(.ready) }
            if survey.manifestCameLast, survey.fingerprint != badManifest, rested(patience.settle) {
                // What is refused anyway is not read: it may be terabytes of nothing.
                return survey.refusal == nil ? .verifyManifest : .accept(.manifest)
            }
        }
        if let quiet = survey.files > 0 ? patience.quiet : patience.emptyQuiet, rested(quiet) {
            return .accept(.quiet)
        }
        return .wait(until: deadlines.min())
    }

    private mutating func unlessPostponed(_ action: Action, _ now: Instant) -> Action {
        guard case .accept = action, let until = postponedUntil else { return action }
        if now < until { return .wait(until: until) }
        postponedUntil = nil
        return action
    }
}
