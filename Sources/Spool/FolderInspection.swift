internal import Glibc
internal import Support

/// The look before a folder is taken: everything in it, its wishes, its manifest.
struct FolderInspection: Equatable, Sendable {
    var survey: FolderSurvey
    /// `job.yaml` as JSON.
    var arguments: String

    /// Names people write when they mean `job.yaml`, in whatever case.
    private static let misspelt: Set = ["job.yaml", "job.yml", "job.json", "job.toml", "job.yaml.txt"]

    /// Throws `Refusal` when the folder cannot be taken, `SystemError` when the look failed and may succeed later.
    ///
    /// - Parameters:
    ///   - verifiesManifest: reads every file if there is one, which can take long.
    ///   - label: what sentences call the folder, if not by its name.
    static func inspect(
        _ name: EntryName, in kindFolder: FolderHandle, limits: FolderLimits, verifiesManifest: Bool = true,
        label: String? = nil
    ) throws -> FolderInspection {
        guard kindFolder.allows(R_OK | W_OK | X_OK, on: name) else {
            throw Refusal.unreadable(
                label ?? name.escaped, "the daemon needs permission to read, enter and move the folder")
        }
        let folder = try kindFolder.openFolder(name)
        let survey = try FolderSurvey.take(of: folder, limits: limits)
        if let refusal = survey.refusal { throw refusal }
        if survey.files == 0 { throw Refusal.empty(label ?? name.escaped) }
        if survey.manifestChanged != nil, verifiesManifest { try verifyManifest(of: folder, limits: limits) }
        return FolderInspection(survey: survey, arguments: try arguments(of: folder, survey, limits: limits))
    }

    static func verifyManifest(of folder: FolderHandle, limits: FolderLimits) throws {
        let text = try read(EntryName(ControlFile.manifest), in: folder, limit: limits.manifestBytes) { size in
            .manifest("the list itself has \(size) bytes, more than \(limits.manifestBytes)")
        }
        try FolderManifest(text).verify(folder, limits: limits)
    }

    private static func arguments(
        of folder: FolderHandle, _ survey: FolderSurvey, limits: FolderLimits
    ) throws -> String {
        guard survey.hasSpecification else {
            for name in try folder.entries() ?? []
            where name.escaped != ControlFile.specification && misspelt.contains(name.escaped.lowercased()) {
                throw Refusal.badSpecification(
                    "found '\(name.escaped)'; the file must be called '\(ControlFile.specification)'")
            }
            if try folder.exists(EntryName(ControlFile.specification)) {
                throw Refusal.badSpecification("it is not a plain file")
            }
            if let path = survey.misplacedSpecification { throw Refusal.misplacedSpecification(EntryName.escape(path)) }
            return "{}"
        }
        let text = try read(EntryName(ControlFile.specification), in: folder, limit: limits.specificationBytes) {
            size in
            .badSpecification("it has \(size) bytes, more than \(limits.specificationBytes)")
        }
        do throws(JobYAML.Mistake) {
            return try JobYAML.json(from: text)
        } catch {
            throw Refusal.badSpecification(error.description)
        }
    }

    static func read(
        _ name: EntryName, in folder: FolderHandle, limit: Int, tooLarge: (Int) -> Refusal
    ) throws -> [UInt8] {
        let descriptor = try folder.openFile(name)
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &block, block.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("read", on: folder.label(of: name))
            }
            if count == 0 { return bytes }
            bytes += block[..<count]
            if bytes.count > limit { throw tooLarge(bytes.count) }
        }
    }
}
