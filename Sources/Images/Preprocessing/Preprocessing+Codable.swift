extension Preprocessing {
    private enum CodingKeys: String, CodingKey {
        case pixels, filter, geometry, mean, std, orientation
        case shorterSide = "shorter_side"
        case reductionGap = "reduction_gap"
    }

    private enum GeometryName: String, Codable {
        case stretch
        case centreCrop = "centre_crop"
    }

    /// Reads the stored form; throws `DecodingError` for a missing key and `PreprocessingError` for a value outside its
    /// range.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        let geometry: Geometry =
            switch try keys.decode(GeometryName.self, forKey: .geometry) {
            case .stretch: .stretch
            case .centreCrop: .centreCrop(shorterSide: try keys.decode(Int.self, forKey: .shorterSide))
            }
        try self.init(
            pixels: keys.decode(Int.self, forKey: .pixels), filter: keys.decode(Filter.self, forKey: .filter),
            geometry: geometry, mean: keys.decode([Float].self, forKey: .mean),
            std: keys.decode([Float].self, forKey: .std),
            orientation: keys.decode(DecodingOptions.Orientation.self, forKey: .orientation),
            reductionGap: keys.decodeIfPresent(Double.self, forKey: .reductionGap))
    }

    public func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode(pixels, forKey: .pixels)
        try keys.encode(filter, forKey: .filter)
        switch geometry {
        case .stretch:
            try keys.encode(GeometryName.stretch, forKey: .geometry)
        case .centreCrop(let side):
            try keys.encode(GeometryName.centreCrop, forKey: .geometry)
            try keys.encode(side, forKey: .shorterSide)
        }
        try keys.encode(mean, forKey: .mean)
        try keys.encode(std, forKey: .std)
        try keys.encode(orientation, forKey: .orientation)
        try keys.encodeIfPresent(reductionGap, forKey: .reductionGap)
    }
}
