//! What servers use of the CPU, as Linux counts it.

use benches::Result;
use std::{fs, path::Path};

/// The processes of one server.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Server {
    /// One process.
    Alone(u32),
    /// A process and those it has started.
    Family(u32),
}

impl Server {
    /// Seconds of CPU so far, of all threads that still run. Nothing where the system
    /// does not tell, as on other systems than Linux.
    pub(crate) fn cpu(self) -> f64 {
        let pids = match self {
            Self::Alone(pid) => vec![pid],
            Self::Family(pid) => family(pid),
        };
        pids.into_iter().map(|pid| process_cpu(pid).unwrap_or_default()).sum()
    }
}

/// The parent of a process.
///
/// # Errors
/// There is no such process, or the system does not tell.
pub(crate) fn parent_of(pid: u32) -> Result<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    Ok(line.ok_or("a process without a parent")?.trim().parse()?)
}

fn family(parent: u32) -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else { return vec![parent] };
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let children = pids.filter(|&pid| parent_of(pid).is_ok_and(|found| found == parent));
    children.chain([parent]).collect()
}

fn process_cpu(pid: u32) -> Option<f64> {
    let threads = fs::read_dir(Path::new("/proc").join(pid.to_string()).join("task")).ok()?;
    let nanoseconds = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Some(nanoseconds.sum::<u64>() as f64 / 1e9)
}
