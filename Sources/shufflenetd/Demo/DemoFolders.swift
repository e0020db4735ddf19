import Foundation
import Support

/// Where the demonstration keeps what.
struct DemoFolders {
    let state: String

    var configuration: String { state + "/config.yaml" }
    var log: String { state + "/daemon.log" }
    var spool: String { state + "/spool" }
    /// Drawn here, then handed over by rename.
    var drawings: String { state + "/drawings" }
    var datasets: String { state + "/datasets" }

    /// Makes the state folder, open to walk through, since the database's user may be another than ours.
    init(state: String) throws {
        self.state = URL(filePath: state).standardizedFileURL.path
        try FileManager.default.createDirectory(
            atPath: self.state, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    }

    /// Draws pictures to train on, others to measure with and others to classify, puts a copy of each among the data
    /// sets for SQL, and writes the daemon's configuration.
    func draw() throws {
        var pictures = ShapePictures(seed: 1)
        try pictures.writeDataset(to: drawings + "/shapes", count: 200)
        try pictures.writeDataset(to: drawings + "/shapes-held-back", count: 50)
        try pictures.writeMixture(to: drawings + "/inbox", count: 24)
        try FileManager.default.createDirectory(atPath: datasets, withIntermediateDirectories: true)
        for name in ["shapes", "shapes-held-back", "inbox"] {
            try FileManager.default.copyItem(atPath: "\(drawings)/\(name)", toPath: "\(datasets)/\(name)")
        }
        try AtomicFile.write(
            """
            # The demonstration's daemon: small pictures, a small network, few epochs.
            workers: 1
            spool:
              quiet_period: 2s
            defaults:
              train:
                model_size: 0.5x
                pixels: 64
                batch: 16
                epochs: 12
                lr: 0.01

            """.utf8, to: configuration)
    }

    /// Hands a copy of a drawn folder to the spool with a `job.yaml`: written under `tmp/`, renamed into `incoming/`.
    func drop(_ drawing: String, as name: String, kind: String, job: String) throws {
        let parked = "\(spool)/tmp/\(name)"
        try FileManager.default.copyItem(atPath: "\(drawings)/\(drawing)", toPath: parked)
        try AtomicFile.write(job.utf8, to: parked + "/job.yaml")
        try FileManager.default.moveItem(atPath: parked, toPath: "\(spool)/incoming/\(kind)/\(name)")
    }
}
