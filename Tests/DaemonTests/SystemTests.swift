import Glibc
import JobQueue
import Runs
import Support
import Testing

@testable import Daemon

@Suite struct SystemTests {
    @Test("a state folder in use is refused with a sentence, and free again afterwards")
    func stateLock() async throws {
        let scratch = try Scratch()
        do {
            let lock = try StateLock(state: scratch.path)
            let error = #expect(throws: StateLock.Taken.self) { _ = try StateLock(state: scratch.path) }
            #expect(error?.holder == "\(getpid())")
            #expect(error?.description.contains("'\(scratch.path)' is in use by another daemon") == true)
            withExtendedLifetime(lock) {}
        }
        // A process that another test starts holds a copy of the lock between its fork and its exec.
        #expect(await eventually { (try? StateLock(state: scratch.path)) != nil })
    }

    @Test("systemd hears of readiness, status and the end", arguments: [false, true])
    func notify(abstract: Bool) throws {
        let scratch = try Scratch()
        let name = abstract ? "@shufflenetd-test-\(getpid())" : "\(scratch.path)/notify"
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        if abstract { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(2 + bytes.count)) }
        }
        #expect(bound == 0)
        let notifier = SystemdNotifier(environment: ["NOTIFY_SOCKET": name, "WATCHDOG_USEC": "4000000"])
        #expect(notifier.watchdogInterval == .seconds(2))
        notifier.ready(status: "2 slots\nfree")
        notifier.watchdog()
        notifier.stopping(status: "draining")
        var buffer = [UInt8](repeating: 0, count: 256)
        let received = (0..<3).map { _ -> String in
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
        }
        #expect(received == ["READY=1\nSTATUS=2 slots free", "WATCHDOG=1", "STOPPING=1\nSTATUS=draining"])
    }

    @Test("without systemd nothing is sent and nothing goes wrong")
    func noNotify() {
        let notifier = SystemdNotifier(environment: ["WATCHDOG_USEC": "4000000", "WATCHDOG_PID": "1"])
        #expect(notifier.watchdogInterval == nil)
        notifier.ready(status: "ready")
    }

    @Test("a new attempt goes on from the newest earlier one that left a checkpoint")
    func earlierAttempt() throws {
        let scratch = try Scratch()
        let lease = Lease(job: JobID(7), token: LeaseToken(30))
        #expect(EarlierAttempt.folder(for: lease, kind: .train, in: scratch.path) == nil)
        try scratch.write("", to: "7.10/last.ckpt")
        try scratch.write("", to: "7.20/train.log")
        try scratch.write("", to: "7.40/last.ckpt")
        try scratch.write("", to: "77.25/last.ckpt")
        try scratch.write("", to: "7.25.displaced/last.ckpt")
        #expect(EarlierAttempt.folder(for: lease, kind: .train, in: scratch.path) == "\(scratch.path)/7.10")
        #expect(EarlierAttempt.folder(for: lease, kind: .classify, in: scratch.path) == "\(scratch.path)/7.20")
    }

    static func publication(of model: String, files: [String: String] = ["publish": "best.ckpt"]) -> ModelPublication? {
        ModelPublication(
            job: 7, token: 3, arguments: .object(["publish_as": .string(model)]),
            result: RunResult(figures: [:], files: files, summary: ""))
    }

    @Test("a model goes under its name whole, and its note can be found again")
    func modelPublication() throws {
        let scratch = try Scratch()
        let publication = try #require(Self.publication(of: "flowers"))
        try publication.note(in: scratch.path)
        #expect(ModelPublication.notes(in: scratch.path) == [publication])
        try scratch.write("last", to: "out/last.ckpt")
        try scratch.write("best", to: "out/best.ckpt")
        for _ in 0..<2 {
            // The second time as after a crash between the copy and the note's removal.
            let outcome = try publication.carryOut(output: "\(scratch.path)/out", models: "\(scratch.path)/models")
            #expect(outcome == .published("\(scratch.path)/models/flowers.ckpt"))
            #expect(scratch.read("models/flowers.ckpt") == "best")
            #expect(FileTree.names(in: "\(scratch.path)/models") == ["flowers.ckpt"])
        }
    }

    @Test("a model takes the place of the one it was compared with, and of no other")
    func comparedModel() throws {
        let scratch = try Scratch()
        try scratch.write("best", to: "out/best.ckpt")
        try scratch.write("old", to: "models/flowers.ckpt")
        var publication = try #require(Self.publication(of: "flowers"))
        publication.replaces = try ModelDigest.of("\(scratch.path)/models/flowers.ckpt")
        try scratch.write("somebody's", to: "models/flowers.ckpt")
        func carryOut() throws -> ModelPublication.Outcome {
            try publication.carryOut(output: "\(scratch.path)/out", models: "\(scratch.path)/models")
        }
        #expect(try carryOut() == .overtaken)
        #expect(scratch.read("models/flowers.ckpt") == "somebody's")
        try scratch.write("old", to: "models/flowers.ckpt")
        #expect(try carryOut() == .published("\(scratch.path)/models/flowers.ckpt"))
        #expect(scratch.read("models/flowers.ckpt") == "best")
        // One that is gone keeps nothing away.
        try FileTree.remove("\(scratch.path)/models/flowers.ckpt")
        #expect(try carryOut() == .published("\(scratch.path)/models/flowers.ckpt"))
    }

    @Test("a model that its run found worse than the one in service is not published")
    func worseModel() {
        #expect(Self.publication(of: "flowers", files: ["best": "best.ckpt"]) == nil)
    }

    @Test("a model's name can lead nowhere else", arguments: ["../x", "a/b", ".hidden", ""])
    func hostileModelName(name: String) {
        #expect(Self.publication(of: name) == nil)
    }

    @Test("a model's file can come from nowhere else", arguments: ["../x", "/etc/passwd", ".hidden"])
    func hostileModelFile(name: String) {
        #expect(Self.publication(of: "flowers", files: ["publish": name]) == nil)
    }
}
