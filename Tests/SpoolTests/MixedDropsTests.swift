import Foundation
import Glibc
import Logging
import TestSupport
import Testing

@testable import Spool

/// Many drops by many methods at once: none lost, none premature, none twice.
///
/// `SHUFFLENETD_DROPS=10000 swift test --filter MixedDropsTests` drops as many.
@Suite struct MixedDropsTests {
    let scratch = ScratchFolder()
    let registrar = RecordingRegistrar()
    let count = ProcessInfo.processInfo.environment["SHUFFLENETD_DROPS"].flatMap(Int.init) ?? 180

    /// How ten folders `$names`, made in the working folder, come to `$incoming`; `$spool` is the root, `$aside` lies on
    /// another file system where there is one.
    static let methods = [
        ("rename from tmp", #"for n in $names; do mv "$n" "$spool/tmp/"; mv "$spool/tmp/$n" "$incoming/"; done"#),
        ("cp", #"cp -r $names "$incoming/""#),
        ("cp, .ready last", #"for n in $names; do cp -r "$n" "$incoming/"; : > "$incoming/$n/.ready"; done"#),
        (
            "cp, manifest last",
            #"for n in $names; do cp -r "$n" "$incoming/"; (cd "$n"; sha256sum *.jpg */*.jpg) > "$incoming/$n/manifest.sha256"; done"#
        ),
        ("rsync", #"rsync -r $names "$incoming/""#),
        ("tar", #"tar c $names | tar x -C "$incoming""#),
        ("mv across file systems", #"cp -r $names "$aside/"; cd "$aside"; mv $names "$incoming/""#),
        (
            "closed and opened again",
            #"for n in $names; do mkdir -p "$incoming/$n/sub"; for f in a.jpg sub/b.jpg sub/c.jpg; do for half in 1 2; do printf %s "$(head -c 100 "$n/$f")" >> "$incoming/$n/$f"; sleep 0.02; done; done; done"#
        ),
        ("archive", #"for n in $names; do tar cf - "$n" > "$incoming/$n.tar"; done"#),
        ("archive by rsync", #"for n in $names; do tar czf "$n.tgz" "$n"; done; rsync *.tgz "$incoming/""#),
    ]

    @Test(.timeLimit(.minutes(30))) func `folders dropped by mixed methods are each taken once, and whole`()
        async throws
    {
        let store = try SpoolStore(root: "\(scratch.path)/spool")
        var configuration = SpoolConfiguration()
        configuration.quietPeriod = .seconds(2)
        configuration.settlePeriod = .milliseconds(200)
        configuration.rescanInterval = .seconds(5)
        configuration.minimumFreeBytes = 0
        configuration.unpacking.program = BuiltProgram.path
        let logger = Logger(label: "intake") { _ in RecordingLog(registrar) }
        let intake = SpoolIntake(store: store, configuration: configuration, registrar: registrar, logger: logger)
        let other = ScratchFolder(in: "/dev/shm")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await intake.run() }
            let (scratch, count) = (scratch.path, count)
            group.addTask {
                for start in stride(from: 0, to: count, by: 10) {
                    let method = Self.methods[start / 10 % Self.methods.count]
                    let names = (start..<min(start + 10, count)).map { "d\($0)" }.joined(separator: " ")
                    try Tool.shell(
                        """
                        names='\(names)' spool='\(scratch)/spool' incoming='\(scratch)/spool/incoming/classify'
                        aside='\(other.path)'; mkdir -p making; cd making
                        half=$(printf '%100s' x)
                        for n in $names; do
                            mkdir -p "$n/sub"
                            for f in a.jpg sub/b.jpg sub/c.jpg; do printf '%s%s' "$half" "$half" > "$n/$f"; done
                        done
                        \(method.1)
                        cd '\(scratch)'; rm -rf making
                        """, in: scratch)
                }
            }
            await registrar.wait { $0.placed.count == count }
            group.cancelAll()
            // The writer may be at its last lines still; it ends by itself.
            while let result = await group.nextResult() { if case .failure(let error) = result { throw error } }
        }
        let accepted = registrar.accepted
        #expect(accepted.count == count)
        #expect(Set(accepted.map { $0.name.prefix { $0 != "." } }).count == count)
        #expect(accepted.allSatisfy { $0.files == 3 && $0.bytes == 600 }, "\(accepted.filter { $0.bytes != 600 })")
        #expect(scratch.list("spool/processing").count == count)
        #expect(scratch.list("spool/rejected").isEmpty && scratch.list("spool/incoming/classify").isEmpty)
    }
}
