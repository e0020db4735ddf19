// Not in a release build, which makes this target too, but no tests.
#if canImport(Testing)
    import Support
    public import Testing

    /// For tests that compute without a pause: they take turns on a thread of their own. Each would hold a thread of the
    /// cooperative pool meanwhile, of which there are as many as processors, and keep those from being heard that wait for a
    /// server, a child or a clock.
    public struct OneAtATime: SuiteTrait, TestTrait, TestScoping {
        private static let executor = BlockingExecutor(label: "tests.compute")

        public var isRecursive: Bool { true }

        public func provideScope(
            for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
        ) async throws {
            try await withTaskExecutorPreference(Self.executor) { try await function() }
        }
    }

    extension Trait where Self == OneAtATime {
        public static var oneAtATime: Self { OneAtATime() }
    }
#endif
