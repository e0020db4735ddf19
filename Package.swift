// swift-tools-version: 6.2
import PackageDescription

/// Settings that hold for every Swift target of the package.
let house: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

/// Number-crunching modules are optimised in debug builds too, so that the tests of real networks stay quick.
/// The kernels are compiled as whole modules in both: their small functions must be inlined across files, as a function
/// that is not could be shared between modules for different CPUs.
let optimised: [SwiftSetting] = house + [.unsafeFlags(["-O"], .when(configuration: .debug))]
let unchecked: [SwiftSetting] =
    house + [.unsafeFlags(["-Ounchecked", "-disable-batch-mode", "-wmo", "-num-threads", "1"])]

/// A module of the kernels of `Sources/VectorKernels`, compiled for one level of the x86-64 psABI and what `features` adds
/// to it; on other architectures it is there, not used, and compiled like the rest.
func vectorKernels(_ name: String, level: String?, features: [String] = [], isWide: Bool) -> Target {
    var settings = unchecked + (isWide ? [.define("WIDE_LANES")] : [])
    #if arch(x86_64)
        if let level {
            let flags = ["-march=\(level)"] + features + (isWide ? ["-mprefer-vector-width=512"] : [])
            settings += [.define("FUSED"), .unsafeFlags(flags.flatMap { ["-Xcc", $0] })]
        }
    #endif
    return .target(name: name, dependencies: ["CLanes", "Kernels"], swiftSettings: settings)
}

let package = Package(
    name: "shufflenetd",
    products: [
        .executable(name: "shufflenetd", targets: ["shufflenetd"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["YAML"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
    ],
    targets: [
        // At the ground.
        .systemLibrary(name: "CProcess"),
        .target(
            name: "Support",
            dependencies: ["CProcess", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: optimised),
        .target(name: "CIsolation"),

        // The engine.
        .systemLibrary(
            name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CLanes"),
        .target(name: "Kernels", dependencies: ["COpenBLAS"], swiftSettings: unchecked),
        // One folder of sources; the others are links to it.
        vectorKernels("VectorKernels", level: nil, isWide: false),
        vectorKernels("VectorKernelsV3", level: "x86-64-v3", isWide: false),
        vectorKernels("VectorKernelsV4", level: "x86-64-v4", isWide: true),
        vectorKernels("VectorKernelsV4BFloat16", level: "x86-64-v4", features: ["-mavx512bf16"], isWide: true),
        .target(
            name: "KernelSets",
            dependencies: [
                "CLanes", "Kernels", "VectorKernels", "VectorKernelsV3", "VectorKernelsV4", "VectorKernelsV4BFloat16",
            ],
            swiftSettings: house),
        .target(name: "ShuffleNet", dependencies: ["Kernels", "KernelSets", "Support"], swiftSettings: optimised),

        // Files of models.
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "Checkpoints",
            dependencies: [
                "CZlib", "Kernels", "ShuffleNet", "Support",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["checkpoint.proto", "ONNX/onnx.proto"],
            swiftSettings: optimised),

        // Pictures.
        .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
        .target(name: "CPNG", linkerSettings: [.linkedLibrary("png16")]),
        .target(name: "CWebP", linkerSettings: [.linkedLibrary("webp"), .linkedLibrary("webpdemux")]),
        .target(name: "CPixels", cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))]),
        .target(
            name: "Images",
            dependencies: [
                "CIsolation", "CJPEG", "CPixels", "CPNG", "CWebP", "Support",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: optimised),

        // What people look at.
        .target(
            name: "Pages", dependencies: ["Support", .product(name: "Mustache", package: "swift-mustache")],
            swiftSettings: house),

        // What a job does.
        .target(
            name: "Runs",
            dependencies: ["Checkpoints", "Images", "Kernels", "KernelSets", "Pages", "ShuffleNet", "Support"],
            swiftSettings: house),

        // What a job is.
        .systemLibrary(name: "CEpoll"),
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(
            name: "Postgres",
            dependencies: [
                "CEpoll", "CLibpq", "Support",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: house),
        .target(
            name: "JobQueue",
            dependencies: [
                "Postgres", "Support", .product(name: "Logging", package: "swift-log"),
            ],
            // A link to the top-level folder; in code, so that an installed binary carries it.
            resources: [.embedInCode("migrations")],
            swiftSettings: house),
        .target(name: "CSpool"),
        .target(name: "CArchive", linkerSettings: [.linkedLibrary("archive"), .linkedLibrary("z")]),
        .target(
            name: "Spool",
            dependencies: [
                "CArchive", "CIsolation", "CSpool", "Support",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: house),

        // The service.
        .target(
            name: "Daemon",
            dependencies: [
                "CProcess", "Images", "JobQueue", "KernelSets", "Pages", "Postgres", "Runs", "Spool", "Support",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: house),
        .executableTarget(
            name: "shufflenetd",
            dependencies: [
                "Checkpoints", "Daemon", "Images", "JobQueue", "KernelSets", "Postgres", "Runs", "ShuffleNet", "Spool",
                "Support",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: house),

        // Tests: one target a room.
        .target(
            name: "TestSupport",
            dependencies: ["Checkpoints", "Postgres", "Support", .product(name: "Logging", package: "swift-log")],
            path: "Tests/TestSupport",
            resources: [.copy("Fixtures")],
            swiftSettings: house),
        .testTarget(name: "SupportTests", dependencies: ["Support", "TestSupport"], swiftSettings: house),
        // The sixteen-lane form of the kernels on a CPU without AVX-512.
        vectorKernels("VectorKernelsWide", level: "x86-64-v3", isWide: true),
        .testTarget(
            name: "KernelsTests",
            dependencies: ["Kernels", "KernelSets", "Support", "TestSupport", "VectorKernelsWide"],
            swiftSettings: optimised),
        .testTarget(
            name: "ShuffleNetTests",
            dependencies: [
                "Checkpoints", "Images", "Kernels", "KernelSets", "ShuffleNet", "Support", "TestSupport",
            ],
            swiftSettings: optimised),
        .testTarget(
            name: "CheckpointsTests", dependencies: ["Checkpoints", "ShuffleNet", "Support", "TestSupport"],
            swiftSettings: house),
        .testTarget(
            name: "ImagesTests",
            dependencies: ["Checkpoints", "CIsolation", "Images", "shufflenetd", "Support", "TestSupport"],
            swiftSettings: house),
        .testTarget(
            name: "RunsTests",
            dependencies: [
                "Images", "Kernels", "KernelSets", "Runs", "ShuffleNet", "shufflenetd", "Support", "TestSupport",
            ],
            swiftSettings: house),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres", "TestSupport"], swiftSettings: house),
        .testTarget(name: "JobQueueTests", dependencies: ["JobQueue", "Support", "TestSupport"], swiftSettings: house),
        .testTarget(
            name: "SpoolTests",
            dependencies: [
                "shufflenetd", "Spool", "TestSupport",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "DaemonTests",
            dependencies: [
                "Daemon", "Images", "JobQueue", "Pages", "Postgres", "Runs", "Spool", "Support", "shufflenetd",
                "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: house),
    ],
    cLanguageStandard: .c11
)
