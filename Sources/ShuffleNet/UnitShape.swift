/// The channel arithmetic of one ShuffleNet unit (figure 2 b and c of the paper).
package struct UnitShape: Hashable, Sendable {
    let inputs: Int
    let outputs: Int
    /// Groups of the second 1×1 convolution and of the shuffle.
    package let groups: Int
    /// The very first unit's first convolution is not grouped: its input has too few channels.
    let isFirst: Bool
    let stride: Int

    /// Channels between the two 1×1 convolutions.
    package var middle: Int { outputs / 4 }
    /// Groups of the first 1×1 convolution.
    package var reduceGroups: Int { isFirst ? 1 : groups }
    /// Channels made by the branch; at stride 2 the shortcut's channels come before them.
    var branchOutputs: Int { stride == 2 ? outputs - inputs : outputs }
    /// Rows of the output that the shortcut fills at stride 2.
    var shortcutRows: Int { stride == 2 ? inputs : 0 }

    /// Shape of one group's matrix in the first product: `reduceRows × reduceColumns`.
    var reduceRows: Int { middle / reduceGroups }
    var reduceColumns: Int { inputs / reduceGroups }
    /// Shape of one group's matrix in the second product.
    var expandRows: Int { branchOutputs / groups }
    var expandColumns: Int { middle / groups }

    /// The channel shuffle: which channel of the first product the depthwise channel `channel` reads.
    ///
    /// As MindSpore's code has it, `out[j·n + i] = in[i·g + j]` with n = middle / g.
    func shuffleSource(of channel: Int) -> Int {
        let perGroup = middle / groups
        return channel % perGroup * groups + channel / perGroup
    }

    /// The mean square that y is expected to have, given those of x and of what is added to it or put beside it.
    func outputSquare(inputSquare: Double, branchSquare: Double) -> Double {
        if stride == 1 { return inputSquare + branchSquare }
        let share = Double(shortcutRows) / Double(outputs)
        return share * inputSquare + (1 - share) * branchSquare
    }
}
