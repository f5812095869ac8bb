//! What one hit costs in instructions: a figure that other programs on the machine do
//! not change, as they do every time.

use crate::{report::numbers, results::Spread, stage::variable};
use benches::Result;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};
use tokio::process::Command;

/// A way of a read, how often it is gone, and how many rows it gives each time.
struct Way {
    name: &'static str,
    count: u64,
    rows: u64,
}

const WAYS: [Way; 6] = [
    Way { name: "key", count: 200_000, rows: 1 },
    Way { name: "hits-near", count: 40_000, rows: 1 },
    Way { name: "hits-embedded", count: 40_000, rows: 1 },
    Way { name: "hits-signed", count: 40_000, rows: 1 },
    Way { name: "hits-memcached", count: 5_000, rows: 1 },
    Way { name: "many-100-memcached", count: 200, rows: 100 },
];

/// The median is taken of so many.
const ROUNDS: usize = 3;

/// Counts each way, and writes `instructions.md` and `instructions.json`.
pub(crate) async fn run(root: &Path) -> Result<()> {
    // The program would say so too, but only under valgrind.
    variable("TEST_MEMCACHED_URL")?;
    let program = build(root).await?;
    let scratch = tempfile::tempdir()?;
    let folder = root.join("benches/results");
    let record = folder.join("instructions.json");
    let before = recorded(&record)?;
    let mut counted = BTreeMap::new();
    for way in WAYS {
        let spread = measure(&program, &way, scratch.path()).await?;
        let [each, min, max] = [spread.median, spread.min, spread.max].map(numbers::count);
        println!("{}: {each} instructions a row ({min}–{max})", way.name);
        counted.insert(way.name.to_owned(), spread.median.round());
    }
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("instructions.md"), page(&before, &counted))?;
    fs::write(record, serde_json::to_string_pretty(&counted)? + "\n")?;
    Ok(())
}

/// The instructions of one row, several times.
async fn measure(program: &Path, way: &Way, scratch: &Path) -> Result<Spread> {
    let Way { name, count, rows } = *way;
    // The first run may have to fill the cache, which the next one finds full.
    count_instructions(program, name, 1, scratch).await?;
    let mut each = Vec::new();
    for _ in 0..ROUNDS {
        // The start, which is the same in both, falls out of the difference.
        let once = count_instructions(program, name, count, scratch).await?;
        let twice = count_instructions(program, name, 2 * count, scratch).await?;
        let more = twice.checked_sub(once).ok_or("twice the reads took fewer instructions")?;
        each.push(more as f64 / (count * rows) as f64);
    }
    Spread::of(each).ok_or_else(|| "nothing was counted".into())
}

/// What was counted the last time, if ever.
fn recorded(record: &Path) -> Result<BTreeMap<String, f64>> {
    match fs::read_to_string(record) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| {
            format!("{} cannot be read ({error}); delete it to begin anew", record.display()).into()
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(format!("{} cannot be read: {error}", record.display()).into()),
    }
}

fn page(before: &BTreeMap<String, f64>, counted: &BTreeMap<String, f64>) -> String {
    let mut page = "# Instructions\n\n\
        What one row costs the process that reads it, counted by valgrind; the kernel's part is \
        not in it. One task on one thread, and nothing to share a system call with.\n\n\
        | path | instructions a row | before | change |\n|---|--:|--:|--:|\n"
        .to_owned();
    for Way { name, .. } in WAYS {
        let Some(&now) = counted.get(name) else { continue };
        let [then, change] = match before.get(name) {
            Some(&then) => [numbers::count(then), format!("{:+.1} %", (now / then - 1.0) * 100.0)],
            None => ["–", "–"].map(str::to_owned),
        };
        // A String takes everything.
        let _ = writeln!(page, "| {name} | {} | {then} | {change} |", numbers::count(now));
    }
    page
}

/// A line of what cargo says of a build.
#[derive(Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds the program that is counted, and tells where it lies.
async fn build(root: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--release", "--package", "benches", "--bin", "instructions"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .await
        .map_err(|error| format!("cargo could not be started: {error}"))?;
    if !output.status.success() {
        return Err("`instructions` could not be built; cargo's messages are above".into());
    }
    let lines = String::from_utf8(output.stdout)?;
    let messages = lines.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    messages
        .filter(|message| {
            message.target.as_ref().is_some_and(|target| target.name == "instructions")
        })
        .find_map(|message| message.executable)
        .ok_or_else(|| "cargo does not say where it has put `instructions`".into())
}

/// The instructions of the whole program.
async fn count_instructions(program: &Path, way: &str, count: u64, scratch: &Path) -> Result<u64> {
    let profile = scratch.join("callgrind.out");
    let mut option = std::ffi::OsString::from("--callgrind-out-file=");
    option.push(&profile);
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(option)
        .arg(program)
        .args([way, &count.to_string()])
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                "valgrind is missing; on Debian or Ubuntu: `apt-get install valgrind`".to_owned()
            }
            _ => format!("valgrind could not be started: {error}"),
        })?;
    let Output { status, stderr, .. } = output;
    if !status.success() {
        let said = String::from_utf8_lossy(&stderr);
        return Err(format!("`instructions {way} {count}` under valgrind: {status}\n{said}").into());
    }
    total(&fs::read_to_string(profile)?)
        .ok_or_else(|| "valgrind's profile has no line `totals:`".into())
}

/// What callgrind has written at the end of its profile.
fn total(profile: &str) -> Option<u64> {
    profile.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_tells_what_has_changed() {
        let counted = |pairs: &[(&str, f64)]| {
            pairs.iter().map(|&(name, figure)| (name.to_owned(), figure)).collect()
        };
        let before = counted(&[("hits-near", 2000.0)]);
        let page = page(&before, &counted(&[("hits-near", 1900.0), ("key", 321.0)]));
        assert!(page.ends_with(
            "|---|--:|--:|--:|\n| key | 321 | – | – |\n| hits-near | 1,900 | 2,000 | -5.0 % |\n"
        ));
    }

    #[test]
    fn the_profile_s_total_is_found() {
        let profile = "version: 1\nevents: Ir\nfn=(1) totals: 3\n1 4\n\ntotals: 123456\n";
        assert_eq!(total(profile), Some(123_456));
        assert_eq!(total("totals: many\n"), None);
    }
}
