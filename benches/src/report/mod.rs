//! What is left of a run: tables for people, figures for programs, and plots.

mod bars;
mod canvas;
mod lines;
mod markdown;
pub(crate) mod numbers;
mod plots;
mod scale;
mod tables;
#[cfg(test)]
mod tests;

use crate::results::Results;
use benches::Result;
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// Writes `results.md`, `results.json` and the plots into the folder, over those of
/// an earlier run.
pub(crate) fn write(results: &Results, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| told(folder, &error))?;
    let plots = plots::all(results)?;
    for plot in &plots {
        let path = folder.join(plot.file);
        match &plot.svg {
            Some(svg) => save(path, svg)?,
            // What an earlier run has drawn is not of this one.
            None => remove(&path)?,
        }
    }
    save(folder.join("results.json"), &(serde_json::to_string_pretty(results)? + "\n"))?;
    save(folder.join("results.md"), &markdown::page(results, &plots))
}

fn save(path: PathBuf, text: &str) -> Result<()> {
    fs::write(&path, text).map_err(|error| told(&path, &error).into())
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(told(path, &error).into()),
        _ => Ok(()),
    }
}

fn told(path: &Path, error: &std::io::Error) -> String {
    format!("{} cannot be written: {error}", path.display())
}
