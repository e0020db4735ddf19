/// The files in a dropped folder that speak to the spool and are no part of the data. They stay where they are, at the
/// top of the folder; whoever lists the data leaves them out.
public enum ControlFile {
    /// The wishes of the person: keys and values of the job. Optional.
    public static let specification = "job.yaml"
    /// "Everything is here": put in last.
    public static let ready = ".ready"
    /// Checksums in the format of sha256sum(1), with an optional size: complete when everything listed is there.
    public static let manifest = "manifest.sha256"

    public static let all = [specification, ready, manifest]
}
