/// An array of numbers with a name and a shape, as a checkpoint holds it.
///
/// The elements stay in the file's own type, as little-endian bytes in row-major order, so that reading and writing
/// changes no bit; `elements(as:)` and `floats()` give them as Swift arrays.
public struct NamedTensor: Sendable, Equatable {
    public var name: String
    /// Extents, outermost first; empty for a scalar.
    public let shape: [Int]
    public let elementType: ElementType
    /// `shape`'s product times `elementType.byteCount` bytes.
    public let bytes: [UInt8]

    /// The number of elements.
    public var count: Int { bytes.count / elementType.byteCount }

    /// Takes the elements of a Swift array, for instance `NamedTensor(name: "w", shape: [2, 2], elements: weights)`.
    ///
    /// The number of elements must be the product of the shape.
    public init<Element: TensorElement>(name: String, shape: [Int], elements: [Element]) {
        self.init(
            name: name, shape: shape, elementType: Element.elementType,
            bytes: elements.withUnsafeBytes { Array($0) })
    }

    /// A tensor of truth values, one byte each.
    public init(name: String, shape: [Int], elements: [Bool]) {
        self.init(name: name, shape: shape, elementType: .bool, bytes: elements.map { $0 ? 1 : 0 })
    }

    /// Takes raw little-endian bytes, whose number must fit the shape and the type.
    public init(name: String, shape: [Int], elementType: ElementType, bytes: [UInt8]) {
        precondition(
            Self.byteCount(of: shape, elementType) == bytes.count,
            "tensor \(name.quoted) of shape \(shape) and type \(elementType) cannot have \(bytes.count) bytes")
        self.name = name
        self.shape = shape
        self.elementType = elementType
        self.bytes = bytes
    }

    /// The elements, when they are stored as `Element`. Throws `CheckpointError` when they are of another type.
    public func elements<Element: TensorElement>(
        as type: Element.Type = Element.self
    ) throws(CheckpointError) -> [Element] {
        guard Element.elementType == elementType else {
            throw CheckpointError(
                "tensor \(name.quoted) holds \(elementType) values, wanted were \(Element.elementType) values")
        }
        return raw(as: Element.self)
    }

    /// The elements as float32, converted (rounded to nearest) from any floating type.
    ///
    /// Throws `CheckpointError` when the tensor holds whole numbers or truth values.
    public func floats() throws(CheckpointError) -> [Float] {
        switch elementType {
        case .float32: return raw(as: Float.self)
        case .float64: return raw(as: Double.self).map(Float.init)
        case .float16: return raw(as: Float16.self).map(Float.init)
        case .bfloat16: return raw(as: UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
        default:
            throw CheckpointError(
                "tensor \(name.quoted) holds \(elementType) values, wanted were floating-point values")
        }
    }

    /// More extents than any framework's arrays have; a hostile file could list millions.
    static let rankLimit = 64

    /// The bytes a tensor of this shape and type has; nil when an extent is negative or the product overflows.
    static func byteCount(of shape: [Int], _ type: ElementType) -> Int? {
        var product = type.byteCount
        var overflow = false
        for extent in shape {
            if extent < 0 { return nil }
            (product, overflow) = product.multipliedReportingOverflow(by: extent)
            if overflow { return nil }
        }
        return product
    }

    private func raw<Element: BitwiseCopyable>(as type: Element.Type) -> [Element] {
        [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
            initialized = count
        }
    }
}
