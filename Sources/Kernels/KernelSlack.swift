/// How far kernels, which work in whole vectors of up to sixteen, reach beyond the values that they are about. Whoever lays out
/// memory keeps so many elements free there; what they hold does not matter.
public enum KernelSlack {
    /// Elements before a plane that may be read.
    public static let before = 16
    /// Elements past the end of a row or plane that may be read.
    public static let after = 48
    /// Elements past a product's last column that may be written.
    public static let written = 16
}
