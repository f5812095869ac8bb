//! What the derive costs the compiler: `cargo check` of a crate of ten-column structs,
//! beside the same with serde's derives only.

mod package;

use crate::{
    results::{Results, Spread},
    stage::Stage,
};
use benches::Result;
use nix::sys::resource::{UsageWho, getrusage};
use package::{Derives, Package};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Instant,
};
use tokio::process::Command;

/// How often each crate is checked.
const ROUNDS: usize = 3;
/// What the derive writes for a struct of ten columns, held to it by a test.
const EXPANSION: &str = "cached-orm-derive/tests/expansion/ten_columns.expanded.rs";

/// How long one check takes.
struct Times {
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

/// Checks all crates, interleaved.
///
/// # Errors
/// Something does not compile, or is not at hand: nothing is downloaded.
pub(crate) async fn run(stage: &Stage, results: &mut Results) -> Result<()> {
    let lines = fs::read_to_string(stage.root.join(EXPANSION))
        .map_err(|error| format!("{EXPANSION}: {error}"))?;
    results.fact("compile", "expansion of ten columns", lines.lines().count() as f64, "lines");

    let counts: &[usize] = if stage.plan.quick { &[10] } else { &[1, 10, 100] };
    let folder = stage.scratch.path().join("compile");
    let mut packages = vec![Package { derives: Derives::Serde, structs: 0 }];
    for &structs in counts {
        for derives in [Derives::Serde, Derives::SerdeAndOurs] {
            packages.push(Package { derives, structs });
        }
    }
    package::write(&folder, &stage.root, &packages)?;
    let target = target(stage);
    let mut times: Vec<_> =
        packages.iter().map(|_| Times { wall: Vec::new(), cpu: Vec::new() }).collect();
    // Dependencies, which are not measured.
    for package in &packages {
        check(&folder, &target, package).await?;
    }
    for _ in 0..ROUNDS {
        for (package, times) in packages.iter().zip(&mut times) {
            let (wall, cpu) = check(&folder, &target, package).await?;
            times.wall.push(wall);
            times.cpu.push(cpu);
        }
    }
    note(results, &packages, &times);
    Ok(())
}

/// Where the dependencies are built. The short form keeps it, to be short.
fn target(stage: &Stage) -> PathBuf {
    if stage.plan.quick {
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        target.unwrap_or_else(|| stage.root.join("target")).join("compile-experiment")
    } else {
        stage.scratch.path().join("compile-target")
    }
}

/// Checks one crate, whose dependencies are built, and returns the seconds of the
/// clock and of the CPU.
async fn check(folder: &Path, target: &Path, package: &Package) -> Result<(f64, f64)> {
    // The same text with a new date.
    package.write_source(folder)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let (begun, cpu) = (Instant::now(), cpu_of_children()?);
    let output = Command::new(cargo)
        .args(["check", "--offline", "--quiet", "--package", &package.name()])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        // Or what has not changed would be taken over from the last time.
        .env("CARGO_INCREMENTAL", "0")
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| format!("cargo could not be started: {error}"))?;
    let times = (begun.elapsed().as_secs_f64(), cpu_of_children()? - cpu);
    if output.status.success() {
        return Ok(times);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("`cargo check` of generated structs failed:\n{said}").into())
}

/// CPU of the processes that have ended, in seconds.
fn cpu_of_children() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

fn note(results: &mut Results, packages: &[Package], times: &[Times]) {
    let median = |of: &dyn Fn(&Times) -> Vec<f64>, derives, structs| {
        let wanted = Package { derives, structs };
        let place = packages.iter().position(|package| *package == wanted)?;
        Spread::of(of(&times[place])).map(|spread| spread.median * 1e3)
    };
    for package in packages {
        let Package { derives, structs } = *package;
        let name = format!("cargo check of {structs} structs, {}", derives.name());
        for (what, of) in KINDS {
            if let Some(value) = median(of, derives, structs) {
                results.fact("compile", format!("{name}, {what}"), value, "ms");
            }
        }
    }
    let Some(most) = packages.iter().map(|package| package.structs).max() else { return };
    for (what, of) in KINDS {
        let serde = median(of, Derives::Serde, most);
        let both = median(of, Derives::SerdeAndOurs, most);
        let empty = median(of, Derives::Serde, 0);
        let Some(((serde, both), empty)) = serde.zip(both).zip(empty) else { continue };
        // The figures of the CPU are the ones to go by: the clock's depend on what
        // else is done.
        let suffix = if what == "CPU" { "" } else { ", by the clock" };
        let each = |more: f64, less: f64| (more - less) / most as f64;
        let name = format!("MemcachedOrm, each struct{suffix}");
        results.fact("compile", name, each(both, serde), "ms");
        results.fact("compile", format!("serde, each struct{suffix}"), each(serde, empty), "ms");
    }
}

/// What of [`Times`] is noted.
type Kind = (&'static str, &'static dyn Fn(&Times) -> Vec<f64>);
const KINDS: [Kind; 2] =
    [("CPU", &|times| times.cpu.clone()), ("wall", &|times| times.wall.clone())];
