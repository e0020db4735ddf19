import Foundation

/// Shows the beginnings of the files that the demonstration's jobs left.
struct DemoReport {
    let folders: DemoFolders

    func show() throws {
        for folder in ["spool/done", "results"] {
            let path = "\(folders.state)/\(folder)"
            let names = try FileManager.default.contentsOfDirectory(atPath: path)
                .filter { !$0.hasPrefix(".") }.sorted { $0.localizedStandardCompare($1) == .orderedAscending }
            for name in names { try showResults(of: "\(path)/\(name)") }
        }
    }

    private func showResults(of folder: String) throws {
        say("   \(folder)")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        say("      \(files.joined(separator: "  "))")
        for (name, lines) in [("results.csv", 3), ("eval_log.txt", 1), ("predictions.csv", 4)]
        where files.contains(name) {
            let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            say("      \(name):")
            for line in text.split(whereSeparator: \.isNewline).prefix(lines) { say("         \(line.prefix(150))") }
        }
    }
}
