import Checkpoints
import KernelSets
import ShuffleNet

extension TrainedModel {
    /// What a classification is computed in that asks for no precision: bfloat16 where it is the faster one and this
    /// model was measured to agree with itself in float32.
    var fastestPrecision: Precision {
        let offersBFloat16 = bfloat16Check?.isPassed ?? false
        return offersBFloat16 && InstructionSet.current.hasBFloat16 ? .bfloat16 : .float32
    }
}

extension Precision {
    /// Throws a `RunFailure` when `model`, called `name`, may not classify in this precision.
    func check(offeredBy model: TrainedModel, named name: String) throws(RunFailure) {
        if self == .float32 { return }
        let wanted = "wanted agreement with f32 on at least \(Self.percent(BFloat16Check.wantedAgreement))"
        guard let check = model.bfloat16Check else {
            throw .badInput(
                "precision is bf16, and model '\(name)' was never measured in bf16; \(wanted) of its evaluation set: "
                    + "evaluate it with precision bf16 and use the checked.ckpt that this writes, or classify in f32")
        }
        guard check.isPassed else {
            throw .badInput(
                "precision is bf16, and model '\(name)' \(check.sentence); \(wanted): classify in f32")
        }
    }

    /// Says so where the CPU computes this precision without instructions of its own, which is slower than float32.
    func announce(in context: RunContext) {
        if self == .bfloat16 && !InstructionSet.current.hasBFloat16 {
            context.log("this CPU has no bf16 instructions: bf16 gives the figures it would give elsewhere, but slower")
        }
    }

    fileprivate static func percent(_ share: Double) -> String {
        "\(Double((share * 10_000).rounded(.down)) / 100) %"
    }
}

extension BFloat16Check {
    var sentence: String { "agrees in bf16 with f32 on \(Precision.percent(agreement)) of \(images) images" }
}
