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
let optimised: [SwiftSetting] = house + [.unsafeFlags(["-O"], .when(configuration: .debug))]
let unchecked: [SwiftSetting] =
    house + [.unsafeFlags(["-Ounchecked"]), .unsafeFlags(["-wmo"], .when(configuration: .release))]

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
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
    ],
    targets: [
        // At the ground.
        .target(
            name: "Support",
            dependencies: [.product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: optimised),

        // The engine.
        .systemLibrary(
            name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .target(name: "Kernels", dependencies: ["COpenBLAS", "Support"], swiftSettings: unchecked),
        .target(name: "ShuffleNet", dependencies: ["Kernels", "Support"], swiftSettings: optimised),

        // Files of models.
        .target(
            name: "Checkpoints",
            dependencies: [
                "ShuffleNet", "Support", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["checkpoint.proto"],
            swiftSettings: optimised),

        // Pictures.
        .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
        .target(name: "CPNG", linkerSettings: [.linkedLibrary("png16")]),
        .target(name: "CWebP", linkerSettings: [.linkedLibrary("webp"), .linkedLibrary("webpdemux")]),
        .target(name: "CPixels", cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))]),
        .systemLibrary(name: "CIsolation"),
        .target(
            name: "Images",
            dependencies: [
                "CIsolation", "CJPEG", "CPixels", "CPNG", "CWebP", "Support",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: optimised),

        // What a job does.
        .target(
            name: "Runs",
            dependencies: ["Checkpoints", "Images", "ShuffleNet", "Support"],
            swiftSettings: house),

        // What a job is.
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(
            name: "Postgres",
            dependencies: [
                "CLibpq", "Support",
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
        .target(
            name: "Spool",
            dependencies: [
                "CSpool", "Support",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: house),

        // The service.
        .systemLibrary(name: "CProcess"),
        .target(
            name: "Daemon",
            dependencies: [
                "CProcess", "Images", "JobQueue", "Postgres", "Runs", "Spool", "Support",
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
                "Checkpoints", "Daemon", "Images", "JobQueue", "Postgres", "Runs", "ShuffleNet", "Spool", "Support",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: house),

        // Tests: one target a room.
        .target(
            name: "TestSupport",
            dependencies: ["Checkpoints", "Postgres", "Support"],
            path: "Tests/TestSupport",
            resources: [.copy("Fixtures")],
            swiftSettings: house),
        .testTarget(name: "SupportTests", dependencies: ["Support", "TestSupport"], swiftSettings: house),
        .testTarget(
            name: "KernelsTests", dependencies: ["Kernels", "Support", "TestSupport"], swiftSettings: optimised),
        .testTarget(
            name: "ShuffleNetTests",
            dependencies: ["Checkpoints", "Images", "Kernels", "ShuffleNet", "Support", "TestSupport"],
            swiftSettings: optimised),
        .testTarget(
            name: "CheckpointsTests", dependencies: ["Checkpoints", "ShuffleNet", "Support", "TestSupport"],
            swiftSettings: house),
        .testTarget(
            name: "ImagesTests", dependencies: ["Checkpoints", "Images", "shufflenetd", "Support", "TestSupport"],
            swiftSettings: house),
        .testTarget(
            name: "RunsTests", dependencies: ["Images", "Runs", "shufflenetd", "TestSupport"], swiftSettings: house),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres", "TestSupport"], swiftSettings: house),
        .testTarget(name: "JobQueueTests", dependencies: ["JobQueue", "Support", "TestSupport"], swiftSettings: house),
        .testTarget(name: "SpoolTests", dependencies: ["Spool", "TestSupport"], swiftSettings: house),
        .testTarget(
            name: "DaemonTests",
            dependencies: [
                "Daemon", "JobQueue", "Postgres", "Runs", "Spool", "Support", "shufflenetd", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: house),
    ],
    cLanguageStandard: .c11
)
