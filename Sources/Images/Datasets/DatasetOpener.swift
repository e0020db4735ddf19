internal import Foundation

/// A data set in its parts.
public struct OpenedDataset: Sendable {
    public enum Kind: String, Sendable {
        case cifar10 = "CIFAR-10"
        case imageFolder = "image folder"
    }

    public let kind: Kind
    public let classNames: [String]
    /// Nil for a CIFAR-10 folder that has no training batches.
    public let training: (any Dataset)?
    /// Nil when nothing is held back: a CIFAR-10 folder without a test batch, or a share of 0.
    public let validation: (any Dataset)?
    /// Every record of a data set that is not divided by its owner; else the validation part. For evaluating a model
    /// on a folder it was not trained with.
    public let all: any Dataset
    /// Whether `validation` was divided off by hash, and not by the data set's owner.
    public let isDividedByHash: Bool
    /// Files of the folder that are no records, for the log.
    public let ignored: [String]
}

/// Opens a data set of whichever kind lies in a folder.
public enum DatasetOpener {
    public static let defaultValidationShare = 0.1
    static let validationFolders = ["val", "validation", "test"]
    static let trainingFolder = "train"
    static let cifarFolder = "cifar-10-batches-bin"

    /// - Parameters:
    ///   - validationShare: what is held back by hash when the data set has no validation part of its own.
    ///   - limit: at most so many records for training: CIFAR-10's first, in file order; of folders an even spread.
    /// - Throws: `DatasetError`.
    public static func open(
        _ path: String, validationShare: Double = defaultValidationShare, limit: Int? = nil
    ) throws(DatasetError) -> OpenedDataset {
        precondition((0..<1).contains(validationShare), "a validation share of \(validationShare) is not in 0..<1")
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw DatasetError(
                "there is no data set '\(path)'; wanted a folder with CIFAR-10 binary files or one folder a class")
        }
        guard isFolder.boolValue else {
            throw DatasetError(
                "data set '\(path)' is a file; wanted a folder with CIFAR-10 binary files or one folder a class")
        }
        for folder in [path, path + "/" + cifarFolder] where CIFAR10Dataset.isPresent(in: folder) {
            return try openCIFAR(folder, limit: limit)
        }
        return try openFolders(path, share: validationShare, limit: limit)
    }

    private static func openCIFAR(_ folder: String, limit: Int?) throws(DatasetError) -> OpenedDataset {
        let training =
            CIFAR10Dataset.has(.training, in: folder)
            ? try CIFAR10Dataset(folder: folder, part: .training, limit: limit) : nil
        let test = CIFAR10Dataset.has(.test, in: folder) ? try CIFAR10Dataset(folder: folder, part: .test) : nil
        guard let all = test ?? training else {
            throw DatasetError("CIFAR-10 folder '\(folder)' lost its files while it was opened")
        }
        return OpenedDataset(
            kind: .cifar10, classNames: all.classNames, training: training, validation: test, all: all,
            isDividedByHash: false, ignored: [])
    }

    private static func openFolders(
        _ path: String, share: Double, limit: Int?
    ) throws(DatasetError) -> OpenedDataset {
        let parts = try partFolders(path)
        let all = try ImageFolderDataset(folder: parts.training)
        if let folder = parts.validation {
            let validation = try ImageFolderDataset(folder: folder, classNames: all.classNames)
            return OpenedDataset(
                kind: .imageFolder, classNames: all.classNames, training: all.limited(to: limit),
                validation: validation, all: validation, isDividedByHash: false,
                ignored: all.ignored + validation.ignored)
        }
        let (training, validation) = HashSplit.divide(all, share: share)
        let isDivided = validation.count > 0
        return OpenedDataset(
            kind: .imageFolder, classNames: all.classNames, training: training.limited(to: limit),
            validation: isDivided ? validation : nil, all: all, isDividedByHash: isDivided, ignored: all.ignored)
    }

    /// The folders of class folders: `train` and one of `val`, `validation`, `test` when both are there, `train` alone
    /// when nothing else is, else the folder itself.
    ///
    /// - Throws: `DatasetError` when `train` lies beside what looks like a validation part by another name, or an empty one:
    ///   as classes they would make a network that tells `train` from `valid`.
    private static func partFolders(_ path: String) throws(DatasetError) -> (training: String, validation: String?) {
        func folders(_ folder: String) -> [FolderEntry] {
            let entries = (try? FolderListing.entries(of: RawPath(folder))) ?? []
            return entries.filter { $0.kind == .folder && !$0.isHidden }
        }
        func hasFolders(_ folder: String) -> Bool { !folders(folder).isEmpty }

        let training = path + "/" + trainingFolder
        guard hasFolders(training) else { return (path, nil) }
        if let validation = validationFolders.map({ path + "/" + $0 }).first(where: hasFolders) {
            return (training, validation)
        }
        let others = folders(path).map(\.name.description).filter { $0 != trainingFolder }
        if let empty = others.first(where: { validationFolders.contains($0) }) {
            throw DatasetError(
                "data set '\(path)': the folder '\(empty)' beside '\(trainingFolder)' has no class folders; wanted one "
                    + "folder of images for each class in it, or no such folder")
        }
        if let part = others.first(where: { hasFolders(path + "/" + $0) }) {
            throw DatasetError(
                "data set '\(path)' has the folders '\(trainingFolder)' and '\(part)', both of class folders; wanted "
                    + "\(validationFolders.map { "'\($0)'" }.joined(separator: " or ")) as the name of the other part")
        }
        return others.isEmpty ? (training, nil) : (path, nil)
    }
}
