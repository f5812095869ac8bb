//! What processes have in memory.

use benches::Result;

/// Bytes that a process has in memory, by its number or `self`.
///
/// # Errors
/// There is no such process, or no `/proc`.
pub(super) fn resident_bytes(process: &str) -> Result<f64> {
    kibibytes(&format!("/proc/{process}/status"), "VmRSS:").map(|kibibytes| kibibytes * 1024.0)
}

/// Megabytes that the operating system could still give.
///
/// # Errors
/// There is no `/proc`.
pub(super) fn megabytes_available() -> Result<f64> {
    kibibytes("/proc/meminfo", "MemAvailable:").map(|kibibytes| kibibytes / 1024.0)
}

fn kibibytes(file: &str, name: &str) -> Result<f64> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    let value = value.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok());
    value.ok_or_else(|| format!("{file} does not tell `{name}` in kB").into())
}
