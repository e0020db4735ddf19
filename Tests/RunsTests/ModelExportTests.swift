import Checkpoints
import Foundation
import Support
import TestSupport
import Testing

@testable import Runs

@Suite("A model in another file", .oneAtATime)
struct ModelExportTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test("there and back in the other format nothing is lost, and the table of predictions is the same")
    func bothWays() throws {
        let model = try bench.trained() + "/best.ckpt"
        let (tensors, back) = (bench.path("m.safetensors"), bench.path("back.ckpt"))
        try ModelExport.execute(model: model, out: tensors, weightsOnly: false)
        try ModelExport.execute(model: tensors, out: back, weightsOnly: false)
        #expect(try ModelFile(path: back) == ModelFile(path: model))
        #expect(try ModelFile(path: tensors).identity == ModelFile(path: model).identity)
    }

    @Test("the weights alone are a model that runs, and none to resume from")
    func weightsOnly() throws {
        let model = try bench.trained() + "/best.ckpt"
        let out = bench.path("slim.ckpt")
        try ModelExport.execute(model: model, out: out, weightsOnly: true)
        let (slim, whole) = (try ModelFile(path: out), try ModelFile(path: model))
        #expect(slim.parameters == whole.parameters && slim.card.classNames == whole.card.classNames)
        #expect(slim.optimizer == nil && slim.card.runState == nil)
        #expect(try bench.bytes(out).count * 10 < bench.bytes(model).count * 6)
        _ = try ClassificationRun(
            options: .init(), model: out, images: bench.path("set"), out: bench.path("table.csv")
        ).execute(in: bench.context())
    }

    @Test("what can't be written, or would be written over, is refused")
    func refusals() throws {
        let model = try bench.trained() + "/best.ckpt"
        for (out, sentence) in [("m.pt", "ends in .ckpt or .safetensors"), ("out/last.ckpt", "is there already")] {
            let failure = #expect(throws: RunFailure.self) {
                try ModelExport.execute(model: model, out: bench.path(out), weightsOnly: false)
            }
            #expect(failure?.message.contains(sentence) == true)
        }
    }
}
