/// Where each named array lies in one long row of values: specification order, nothing between.
///
/// Parameters, gradients and optimiser velocities share one layout, so the group convolutions of a unit, which are
/// neighbours in MindSpore's order, form one block `[group][rows][columns]`.
struct ParameterLayout: Sendable {
    struct Slot: Sendable {
        let offset: Int
        let count: Int
        let isTrainable: Bool
        let isDecayed: Bool
    }

    let specifications: [ParameterSpecification]
    let slots: [Slot]
    let total: Int
    private let index: [String: Int]

    init(_ specifications: [ParameterSpecification]) {
        self.specifications = specifications
        var slots: [Slot] = []
        var index: [String: Int] = [:]
        var offset = 0
        for (position, specification) in specifications.enumerated() {
            index[specification.name] = position
            slots.append(
                Slot(
                    offset: offset, count: specification.count, isTrainable: specification.isTrainable,
                    isDecayed: specification.isDecayed))
            offset += specification.count
        }
        self.slots = slots
        self.index = index
        total = offset
    }

    func slot(of name: String) throws(NetworkError) -> Slot {
        guard let position = index[name] else { throw .unknownParameter(name) }
        return slots[position]
    }

    /// For names the engine makes itself.
    func offset(of name: String) -> Int {
        guard let position = index[name] else { preconditionFailure("no parameter '\(name)' in this layout") }
        return slots[position].offset
    }
}
