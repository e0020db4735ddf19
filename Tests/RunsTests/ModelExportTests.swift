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
        _ = try ModelExport.execute(model: model, out: tensors, weightsOnly: false)
        _ = try ModelExport.execute(model: tensors, out: back, weightsOnly: false)
        #expect(try ModelFile(path: back) == ModelFile(path: model))
        #expect(try ModelFile(path: tensors).identity == ModelFile(path: model).identity)
    }

    @Test("the weights alone are a model that runs, and none to resume from")
    func weightsOnly() throws {
        let model = try bench.trained() + "/best.ckpt"
        let out = bench.path("slim.ckpt")
        _ = try ModelExport.execute(model: model, out: out, weightsOnly: true)
        let (slim, whole) = (try ModelFile(path: out), try ModelFile(path: model))
        #expect(slim.parameters == whole.parameters && slim.card.classNames == whole.card.classNames)
        #expect(slim.optimizer == nil && slim.card.runState == nil)
        #expect(try bench.bytes(out).count * 10 < bench.bytes(model).count * 6)
        _ = try ClassificationRun(
            options: .init(), model: out, images: bench.path("set"), out: bench.path("table.csv")
        ).execute(in: bench.context())
    }

    @Test("as ONNX it has the size of its pictures and their classes, and what is assumed of a model that says neither")
    func onnx() throws {
        let model = try bench.trained() + "/best.ckpt"
        #expect(try ModelExport.execute(model: model, out: bench.path("m.onnx"), weightsOnly: false) == [])
        let known = try TrainedModel(path: model)
        let graph = String(decoding: try bench.bytes(bench.path("m.onnx")), as: UTF8.self)
        for text in [try known.classNames.json, try known.preprocessing.json] { #expect(graph.contains(text)) }

        let bare = bench.path("bare.ckpt")
        var file = try ModelFile(path: model)
        file.card = ModelCard()
        try file.write(to: bare)
        let assumed = try ModelExport.execute(model: bare, out: bench.path("bare.onnx"), weightsOnly: false)
        #expect(assumed.count == 2 && assumed[0].contains("names no classes"))
        #expect(
            String(decoding: try bench.bytes(bench.path("bare.onnx")), as: UTF8.self)
                .contains(#"["class 0""#))
    }

    @Test("what can't be written, or would be written over, is refused")
    func refusals() throws {
        let model = try bench.trained() + "/best.ckpt"
        for (out, sentence) in [
            ("m.pt", "ends in .ckpt, .safetensors or .onnx"), ("out/last.ckpt", "is there already"),
        ] {
            let failure = #expect(throws: RunFailure.self) {
                _ = try ModelExport.execute(model: model, out: bench.path(out), weightsOnly: false)
            }
            #expect(failure?.message.contains(sentence) == true)
        }
    }
}
