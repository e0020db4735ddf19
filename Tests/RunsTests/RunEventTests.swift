import Foundation
import Runs
import TestSupport
import Testing

@Suite("Run events", .oneAtATime)
struct RunEventTests {
    @Test(
        "an event survives its line of JSON",
        arguments: [
            RunEvent.started,
            .log(line: "epoch: 1 step: 391, loss is 1.8377845"),
            .progress(fraction: 0.42, message: "epoch 1 of 3", etaSeconds: 31),
            .progress(fraction: 0, message: "", etaSeconds: nil),
            .result(RunResult(figures: ["top_1": 0.8], files: ["best": "best.ckpt"], summary: "done")),
            .failed(RunFailure(.badInput, "no such model \"x\"")),
        ])
    func roundTrip(event: RunEvent) throws {
        let line = event.jsonLine
        #expect(!line.contains(UInt8(ascii: "\n")))
        #expect(try JSONDecoder().decode(RunEvent.self, from: line) == event)
    }

    @Test("the wire form is the documented one")
    func wireForm() {
        let event = RunEvent.progress(fraction: 0.5, message: "epoch 1 of 3", etaSeconds: 31)
        #expect(
            String(decoding: event.jsonLine, as: UTF8.self)
                == #"{"eta_seconds":31,"event":"progress","fraction":0.5,"message":"epoch 1 of 3"}"#)
    }

    @Test("a line that is no event is refused", arguments: ["", "{}", #"{"event":"dance"}"#, "[1]", "started"])
    func garbage(line: String) {
        #expect(throws: (any Error).self) { try JSONDecoder().decode(RunEvent.self, from: Data(line.utf8)) }
    }

    @Test("exit statuses follow sysexits.h")
    func exitStatuses() {
        #expect(RunFailure(.badInput, "").exitStatus == 65)
        #expect(RunFailure(.preempted, "").exitStatus == 75)
        #expect(RunFailure(.error, "").exitStatus == 1)
    }
}
