internal import Kernels

/// Planes into the split form of `PlaneWindow`, and gradients into its bordered form.
enum PlaneSplit {
    /// Splits `plane` `[inHeight][inWidth]` into `scratch`, passing each value through `load`; padding gets `padding`.
    ///
    /// One value before the plane and up to `2 · laneCount` past its end are read (and not used).
    @inline(__always)
    static func split<Scalar: LaneScalar>(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, padding: Float,
        into scratch: UnsafeMutablePointer<Float>, load: (Lanes) -> Lanes
    ) {
        let width = window.inWidth
        let pitch = window.pitch
        // Where the row ends among its even and among its odd elements.
        let evenEnd = (width + window.padLeft + 1) / 2
        let oddEnd = (width + window.padLeft) / 2
        for row in 0..<window.phaseRows {
            for phase in 0..<2 {
                let even = scratch + 2 * phase * window.phaseStride + row * pitch
                let odd = even + window.phaseStride
                let y = 2 * row + phase - window.padTop
                if y < 0 || y >= window.inHeight {
                    for x in 0..<pitch {
                        even[x] = padding
                        odd[x] = padding
                    }
                    continue
                }
                let source = plane + (y * width - window.padLeft)
                var x = 0
                while x < pitch {
                    let pair = source.split(2 * x)
                    even.store(load(pair.even), x)
                    odd.store(load(pair.odd), x)
                    x += laneCount
                }
                for before in 0..<window.padLeft { even[before] = padding }
                for after in evenEnd..<max(pitch, evenEnd) { even[after] = padding }
                for after in oddEnd..<max(pitch, oddEnd) { odd[after] = padding }
            }
        }
        for phase in 0..<4 {
            let end = scratch + phase * window.phaseStride + window.phaseRows * pitch
            for x in 0..<PlaneWindow.slack { end[x] = padding }
        }
    }

    /// Copies `gradient` `[outHeight][outWidth]` into the bordered area of `scratch`, with `load(value, flat index)`.
    /// Returns where element (0, 0) lies; rows are `pitch` apart, everything around the plane is zero.
    @inline(__always)
    static func border<Scalar: LaneScalar>(
        _ gradient: UnsafePointer<Scalar>, _ window: PlaneWindow, into scratch: UnsafeMutablePointer<Float>,
        load: (Lanes, Int) -> Lanes
    ) -> UnsafeMutablePointer<Float> {
        let width = window.outWidth
        let pitch = window.pitch
        let area = scratch + window.gradientOffset
        let origin = area + pitch + 1
        for y in 0..<window.outHeight {
            let source = gradient + y * width
            let target = origin + y * pitch
            var x = 0
            while x < width {
                target.store(load(source.lanes(x), y * width + x), x)
                x += laneCount
            }
            for after in width..<pitch { target[after] = 0 }
        }
        for x in 0...pitch { area[x] = 0 }
        let last = origin + window.outHeight * pitch
        for x in 0..<pitch + PlaneWindow.slack { last[x] = 0 }
        return origin
    }
}
