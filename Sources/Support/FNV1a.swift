/// The 64-bit FNV-1a hash (Fowler, Noll, Vo): the same in every process and on every machine, unlike `Hasher`.
public enum FNV1a {
    public static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
