import Images
import TestSupport
import Testing

@testable import Runs

@Suite("predictions.csv", .oneAtATime)
struct PredictionTableTests {
    let table = PredictionTable(classNames: ["cat", "dog, big", "owl"], topK: 5, model: "pets.ckpt")

    @Test("the header names as many ranks as there are classes")
    func header() {
        #expect(
            table.header
                == "path,status,label,label_index,probability,margin,top2_label,top2_probability,top3_label,top3_probability,width,height,sha256,error,model\r\n"
        )
    }

    @Test("a row has the header's columns, quoted where RFC 4180 wants it")
    func row() {
        let prediction = Prediction(
            path: RawPath("a \"b\".jpg"), status: .ok, ranking: [(1, 0.75), (0, 0.2), (2, 0.05)], width: 4, height: 3,
            sha256: "00ff", error: nil)
        #expect(
            table.row(prediction)
                == "\"a \"\"b\"\".jpg\",ok,\"dog, big\",1,0.750000,0.550000,cat,0.200000,owl,0.050000,4,3,00ff,,pets.ckpt\r\n"
        )
    }

    @Test("an unreadable file has a row with its reason and no figures")
    func unreadable() {
        let prediction = Prediction(
            path: RawPath("x.png"), status: .unreadable, ranking: [], width: nil, height: nil, sha256: "11",
            error: "not a picture")
        #expect(table.row(prediction) == "x.png,unreadable,,,,,,,,,,,11,not a picture,pets.ckpt\r\n")
    }

    @Test("an abstaining row keeps its figures but no label")
    func abstain() {
        let prediction = Prediction(
            path: RawPath("x.png"), status: .abstain, ranking: [(0, 0.4), (1, 0.35), (2, 0.25)], width: 1, height: 1,
            sha256: nil, error: nil)
        #expect(table.row(prediction).hasPrefix("x.png,abstain,,,0.400000,0.050000,"))
    }
}
