internal import Logging

/// Checksums are verified beside the intake, each for one state of one drop. Nothing here takes a drop: the plan is told to
/// look at it again, and what was verified counts only if the drop is in that state still.
extension SpoolIntake {
    /// Whether the checksums that came with a drop, if any did, agree with it in the state that `survey` saw. Throws a
    /// `Refusal` when they do not; `false` while that is being found out, after which the plan comes back to the drop.
    func checksumsAgree(with survey: FolderSurvey, of key: IntakePlan.Key) throws(Refusal) -> Bool {
        if survey.manifestChanged == nil { return true }
        switch verdict(on: IntakePlan.State(key: key, fingerprint: survey.fingerprint)) {
        case .agree: return true
        case .disagree(let refusal): throw refusal
        case nil: return false
        }
    }

    /// What the checksums say of a drop in this state; `nil` while they are verified, which this begins.
    func verdict(on state: IntakePlan.State) -> IntakePlan.Verdict? {
        if let verdict = plan.verdict(on: state) { return verdict }
        if !verifying.includes(state) {
            // What is being read of another state of it is of no use any more.
            verifying.cancel { $0.key == state.key }
            verifying.add(state) { executor in
                Task(executorPreference: executor) { await self.verify(state) }
            }
        }
        return nil
    }

    private func verify(_ state: IntakePlan.State) async {
        let key = state.key
        var event = FolderMachine.Event.rescan
        do {
            logger.info("verifying checksums", metadata: ["kind": "\(key.kind)", "folder": "\(key.name)"])
            plan.note(try await folders.verifyChecksums(of: key, limits: configuration.limits), on: state)
        } catch {
            // Cancelled: the drop is in another state by now, or the daemon stops.
            if !Task.isCancelled {
                logger.warning(
                    "could not verify checksums, it is tried again",
                    metadata: ["kind": "\(key.kind)", "folder": "\(key.name)", "error": "\(error)"])
                event = .postponed(until: .now + configuration.pollInterval)
            }
        }
        verifying.finished(state)
        plan.handle(event, for: key, at: .now)
        wake.yield()
    }
}
