import Support

/// One value for every element of a layout: parameters, gradients or velocities.
final class ParameterStore {
    let layout: ParameterLayout
    let values: AlignedBuffer<Float>

    init(_ layout: ParameterLayout) {
        self.layout = layout
        values = AlignedBuffer(count: layout.total)
    }

    func read(_ name: String) throws(NetworkError) -> [Float] {
        let slot = try layout.slot(of: name)
        return Array(UnsafeBufferPointer(start: values.pointer + slot.offset, count: slot.count))
    }

    func write(_ newValues: [Float], to name: String) throws(NetworkError) {
        let slot = try layout.slot(of: name)
        guard newValues.count == slot.count else {
            throw .wrongCount(name: name, found: newValues.count, wanted: slot.count)
        }
        for (index, value) in newValues.enumerated() { values.pointer[slot.offset + index] = value }
    }

    func pointer(_ name: String) -> UnsafeMutablePointer<Float> {
        values.pointer + layout.offset(of: name)
    }
}
