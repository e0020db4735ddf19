public import ArgumentParser
public import Images
import Runs

extension DecodingOptions.Orientation: ExpressibleByArgument {}

/// The flags of `train`, `evaluate` and `classify` that say how picture files are read.
struct PictureFlags: ParsableArguments {
    private static let defaults = PictureOptions()

    @Option(help: "EXIF orientation, apply or ignore; default: as the model was trained, apply for a new one.")
    var orientation: DecodingOptions.Orientation?
    @Flag(help: "Decode what there is of pictures that end early, instead of calling them unreadable.")
    var tolerateTruncated = false
    @Option(help: "Pictures with more pixels are too_large.")
    var maxPixels = Self.defaults.maximumPixels
    @Option(help: "Pictures that need more seconds of processor time are too_large.")
    var decodeSeconds = Self.defaults.decodeSeconds

    var options: PictureOptions {
        var options = PictureOptions()
        options.orientation = orientation
        options.tolerateTruncated = tolerateTruncated
        options.maximumPixels = maxPixels
        options.decodeSeconds = decodeSeconds
        return options
    }
}
