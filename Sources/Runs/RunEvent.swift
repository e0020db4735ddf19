public import Foundation

/// What a run tells its surroundings: a terminal when started by hand, the daemon when started as a job.
///
/// On the wire an event is one line of JSON with the case's name under `event`
/// (`{"event":"progress","fraction":0.42,"message":"epoch 1 of 3","eta_seconds":31}`).
public enum RunEvent: Sendable, Equatable {
    /// The run has read its input and begins to work.
    case started
    /// A line for the log, as a person would read it.
    case log(line: String)
    /// How far the run is: `fraction` in 0...1, and the expected rest in seconds once it can be told.
    case progress(fraction: Double, message: String, etaSeconds: Double?)
    /// The run's result; the last event of a run that succeeded.
    case result(RunResult)
    /// The run's failure; the last event of a run that did not.
    case failed(RunFailure)
}

/// What a finished run leaves: numbers for the result column and the files it wrote, relative to its output folder.
public struct RunResult: Codable, Sendable, Equatable {
    /// Named figures, for instance `top_1` or `images`.
    public var figures: [String: Double]
    /// What the files are, for instance `best_checkpoint` → `best.ckpt`.
    public var files: [String: String]
    /// A sentence for people.
    public var summary: String
    /// `ModelDigest` of the model in service that the one to publish was compared with; nil where there was none.
    public var replaces: String?

    public init(figures: [String: Double], files: [String: String], summary: String, replaces: String? = nil) {
        self.figures = figures
        self.files = files
        self.summary = summary
        self.replaces = replaces
    }
}

/// Why a run ended without a result.
public struct RunFailure: Error, Codable, Sendable, Equatable, CustomStringConvertible {
    public enum Reason: String, Codable, Sendable {
        /// The input is at fault; running it again would not help.
        case badInput = "bad_input"
        /// The run was asked to stop, and wrote a checkpoint if it had something to keep.
        case preempted
        /// The file system has no room left.
        case diskFull = "disk_full"
        /// Anything else.
        case error
    }

    public var reason: Reason
    public var message: String

    public init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    public static func badInput(_ message: String) -> RunFailure { RunFailure(.badInput, message) }

    public var description: String { message }

    /// The exit status of a process whose run failed so; 65 is EX_DATAERR and 75 EX_TEMPFAIL of sysexits.h.
    public var exitStatus: Int32 {
        switch reason {
        case .badInput: 65
        case .preempted: 75
        case .diskFull, .error: 1
        }
    }
}

extension RunEvent: Codable {
    private enum Keys: String, CodingKey {
        case event, line, fraction, message, result, reason
        case etaSeconds = "eta_seconds"
    }

    private enum Name: String, Codable {
        case started, log, progress, result, failed
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Keys.self)
        switch try values.decode(Name.self, forKey: .event) {
        case .started:
            self = .started
        case .log:
            self = .log(line: try values.decode(String.self, forKey: .line))
        case .progress:
            self = .progress(
                fraction: try values.decode(Double.self, forKey: .fraction),
                message: try values.decode(String.self, forKey: .message),
                etaSeconds: try values.decodeIfPresent(Double.self, forKey: .etaSeconds))
        case .result:
            self = .result(try values.decode(RunResult.self, forKey: .result))
        case .failed:
            self = .failed(
                RunFailure(
                    try values.decode(RunFailure.Reason.self, forKey: .reason),
                    try values.decode(String.self, forKey: .message)))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Keys.self)
        switch self {
        case .started:
            try values.encode(Name.started, forKey: .event)
        case .log(let line):
            try values.encode(Name.log, forKey: .event)
            try values.encode(line, forKey: .line)
        case .progress(let fraction, let message, let etaSeconds):
            try values.encode(Name.progress, forKey: .event)
            try values.encode(fraction, forKey: .fraction)
            try values.encode(message, forKey: .message)
            try values.encodeIfPresent(etaSeconds, forKey: .etaSeconds)
        case .result(let result):
            try values.encode(Name.result, forKey: .event)
            try values.encode(result, forKey: .result)
        case .failed(let failure):
            try values.encode(Name.failed, forKey: .event)
            try values.encode(failure.reason, forKey: .reason)
            try values.encode(failure.message, forKey: .message)
        }
    }

    /// The event as one line of JSON, without the line's end.
    public var jsonLine: Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Only non-finite numbers could fail to encode, and the emitters send none.
        return (try? encoder.encode(self)) ?? Data(#"{"event":"log","line":"an event could not be encoded"}"#.utf8)
    }
}
