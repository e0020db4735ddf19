import Testing

@testable import Spool

@Suite struct IntakePlanTests {
    let now = ContinuousClock.now
    let key = IntakePlan.Key(kind: .classify, name: EntryName("batch"))

    func plan() -> IntakePlan { IntakePlan(patience: .init(quiet: .seconds(30), settle: .seconds(1))) }

    @Test func `a rename whose other half was seen in tmp is complete`() {
        var plan = plan()
        plan.leftTmp(cookie: 7)
        plan.renamedIn(key, cookie: 7, at: now)
        #expect(plan.takeDue(at: now).map(\.action) == [.accept(.renamed)])
        #expect(plan.takeDue(at: now).isEmpty)
    }

    @Test func `a rename from elsewhere is looked at like any new folder`() {
        var plan = plan()
        plan.leftTmp(cookie: 7)
        plan.renamedIn(key, cookie: 8, at: now)
        #expect(plan.takeDue(at: now).map(\.action) == [.survey])
    }

    @Test func `without events a folder that lay in tmp is known by its inode and birth`() {
        let folder = IntakePlan.TmpFolder(inode: 12, birth: 99)
        var plan = plan()
        plan.sawInTmp([folder])
        plan.forgetTmp(but: [folder])
        plan.sawInTmp([])
        plan.found(key, identity: folder, at: now)
        #expect(plan.takeDue(at: now).map(\.action) == [.accept(.renamed)])
    }

    @Test func `a new folder that got the inode of a removed one is not taken for it`() {
        var plan = plan()
        plan.sawInTmp([IntakePlan.TmpFolder(inode: 12, birth: 99)])
        plan.found(key, identity: IntakePlan.TmpFolder(inode: 12, birth: 100), at: now)
        #expect(plan.takeDue(at: now).map(\.action) == [.survey])
    }

    @Test func `a verdict counts for one state of one drop`() {
        let (state, other) = (
            IntakePlan.State(key: key, fingerprint: 1), IntakePlan.State(key: key, fingerprint: 2)
        )
        var plan = plan()
        plan.note(.agree, on: state)
        #expect(plan.verdict(on: state) == nil)
        plan.found(key, identity: nil, at: now)
        plan.note(.agree, on: state)
        #expect(plan.verdict(on: state) == .agree && plan.verdict(on: other) == nil)
        plan.renamedIn(key, cookie: 7, at: now)
        #expect(plan.verdict(on: state) == nil)
    }

    @Test func `a second drop of a name starts from the beginning`() {
        var plan = plan()
        plan.found(key, identity: nil, at: now)
        _ = plan.takeDue(at: now)
        plan.vanished(key)
        plan.found(key, identity: nil, at: now)
        #expect(plan.takeDue(at: now).map(\.action) == [.survey])
    }
}
