import Testing

@testable import Spool

@Suite struct BackgroundWorkTests {
    var work = BackgroundWork<String>(label: "test", width: 2)

    /// Tells in which order work was begun; the tasks themselves have nothing to do.
    final class Record {
        var begun: [String] = []
        var tasks: [String: Task<Void, Never>] = [:]
    }

    let record = Record()

    mutating func add(_ subjects: String...) {
        for subject in subjects {
            work.add(subject) { [record] _ in
                let task = Task {}
                record.begun.append(subject)
                record.tasks[subject] = task
                return task
            }
        }
    }

    @Test mutating func `so many run as there is room for, the others in their order as soon as one has finished`() {
        add("a", "b", "c", "d", "e")
        #expect(record.begun == ["a", "b"])
        #expect(work.includes("a") && work.includes("e"))
        work.finished("b")
        #expect(record.begun == ["a", "b", "c"])
        #expect(!work.includes("b"))
        work.finished("a")
        work.finished("c")
        #expect(record.begun == ["a", "b", "c", "d", "e"])
    }

    @Test mutating func `what is cancelled keeps its place until it has finished, and does not begin if it waits`() {
        add("a", "b", "c", "d")
        work.cancel { $0 == "a" || $0 == "c" }
        #expect(record.tasks["a"]?.isCancelled == true && record.tasks["b"]?.isCancelled == false)
        #expect(work.includes("a") && !work.includes("c"))
        #expect(record.begun == ["a", "b"])
        work.finished("a")
        #expect(record.begun == ["a", "b", "d"])
    }

    @Test mutating func `all that runs is cancelled at the end, and nothing follows`() {
        add("a", "b", "c")
        #expect(Set(work.cancelAll()) == Set(record.tasks.values))
        #expect(record.tasks.count == 2 && record.tasks.values.allSatisfy { $0.isCancelled })
        work.finished("a")
        work.finished("b")
        #expect(record.begun == ["a", "b"])
    }
}
