/// What one training step tells: the mean loss over the batch and how many images were classified right, both before
/// the update and with batch statistics.
public struct StepResult: Hashable, Sendable {
    public let loss: Float
    public let correct: Int
}
