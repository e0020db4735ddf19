import Checkpoints
import Images

/// Which records a training run works on: a run may only go on over the very same, in the same order.
struct RecordsIdentity: Codable, Equatable {
    var classNames: [String]
    var training: Int
    var validation: Int
    /// CRC-32 over the names and labels of all training and validation records.
    var checksum: UInt32

    init(classNames: [String], training: any Dataset, validation: (any Dataset)?) {
        self.classNames = classNames
        self.training = training.count
        self.validation = validation?.count ?? 0
        var checksum = CRC32()
        for records in [training, validation].compactMap({ $0 }) {
            for index in 0..<records.count {
                checksum.update(Array("\(records.label(at: index)) \(records.recordName(at: index))\n".utf8))
            }
        }
        self.checksum = checksum.value
    }
}
