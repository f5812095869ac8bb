//! Where and when the run took place.

use std::{fs, thread};
use time::OffsetDateTime;

/// `2 × Intel(R) Xeon(R) Processor, 23 GiB, Linux 6.1`, or as much of it as the
/// operating system tells.
pub(crate) fn machine() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let model = read("/proc/cpuinfo")
        .and_then(|text| value_of(&text, "model name"))
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let mut line = format!("{cores} × {model}");
    if let Some(memory) = read("/proc/meminfo").and_then(|text| gibibytes(&text)) {
        line.push_str(&format!(", {memory:.0} GiB"));
    }
    match read("/proc/sys/kernel/osrelease") {
        Some(release) => {
            let version: Vec<_> = release.trim().split('.').take(2).collect();
            line.push_str(&format!(", Linux {}", version.join(".")));
        }
        None => line.push_str(&format!(", {}", std::env::consts::OS)),
    }
    line
}

/// The date in Greenwich, `2026-11-26`.
pub(crate) fn today() -> String {
    OffsetDateTime::now_utc().date().to_string()
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// What stands behind the colon in the first line with this name.
fn value_of(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

fn gibibytes(meminfo: &str) -> Option<f64> {
    let total = value_of(meminfo, "MemTotal")?;
    let kibibytes: f64 = total.strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operating_system_s_lines_are_understood() {
        let cpuinfo = "processor\t: 0\nmodel name\t: A CPU @ 2.0 GHz: fast\n";
        assert_eq!(value_of(cpuinfo, "model name").as_deref(), Some("A CPU @ 2.0 GHz: fast"));
        assert_eq!(gibibytes("MemTotal:       16777216 kB\nMemFree: 1 kB\n"), Some(16.0));
        assert_eq!(gibibytes("MemTotal: much\n"), None);
    }

    #[test]
    fn a_date_is_year_month_and_day() {
        let date = today();
        let parts: Vec<_> = date.split('-').map(str::len).collect();
        assert_eq!(parts, [4, 2, 2], "{date}");
    }
}
