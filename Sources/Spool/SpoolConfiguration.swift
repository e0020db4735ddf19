/// How patient, how watchful and how strict the intake is.
public struct SpoolConfiguration: Sendable, Equatable {
    /// A folder in which nothing changed for this long counts as complete. A guess, documented as one; `nil` turns the
    /// guess off, so that only a rename from `tmp/`, a `.ready` file or a manifest completes a folder.
    public var quietPeriod: Duration? = .seconds(30)
    /// How long a folder must rest after its `.ready` file or manifest, so that a recursive copy which happens to
    /// bring that file first is not taken for finished.
    public var settlePeriod: Duration = .seconds(1)
    /// Every folder is looked at again after this long, whatever the watches say.
    public var rescanInterval: Duration = .seconds(30)
    /// Replaces `rescanInterval` where there are no watches (no inotify, or its limits are used up).
    public var pollInterval: Duration = .seconds(2)
    /// `false` polls from the start: for network file systems, which send no events for other hosts' changes.
    public var watchesFileSystem = true
    /// With less free space than this on the spool's file system nothing is accepted.
    public var minimumFreeBytes: Int64 = 256 << 20
    public var limits = FolderLimits()
    /// What takes archives apart.
    public var unpacking = UnpackIsolation.ownProgram

    public init() {}
}

/// Caps on what one dropped folder may hold, or an archive. The first one passed refuses the folder.
public struct FolderLimits: Sendable, Equatable {
    /// Levels of folders below the dropped one.
    public var depth = 16
    /// Files and folders together.
    public var entries = 1_000_000
    /// Sum of the file sizes.
    public var bytes: Int64 = 1 << 40
    /// What an archive may unpack to (and no more than `bytes`), in all and for each byte of its own.
    public var unpackedBytes: Int64 = 64 << 30
    public var unpackedRatio = 100
    /// Size of `job.yaml`.
    public var specificationBytes = 64 * 1024
    /// Size of `manifest.sha256`.
    public var manifestBytes = 256 * 1024 * 1024

    public init() {}
}
