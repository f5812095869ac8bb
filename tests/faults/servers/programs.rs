//! Where the servers' programs are.

use std::{
    env,
    path::{Path, PathBuf},
};

/// A program, from the variable that names it or else from where packages put it.
pub(super) fn find(variable: &str, names: &[&str]) -> Result<PathBuf, String> {
    if let Some(path) = env::var_os(variable) {
        return Ok(path.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    // The sbin folders are not on every user's PATH.
    let folders: Vec<_> = env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin"].map(PathBuf::from))
        .collect();
    let found = names.iter().find_map(|name| {
        folders.iter().map(|folder| folder.join(name)).find(|program| program.is_file())
    });
    found.ok_or_else(|| {
        format!("no {}: install it, or name it in {variable}; `tests/run` does both", names[0])
    })
}

/// The folder of PostgreSQL's programs.
pub(super) fn postgres() -> Result<PathBuf, String> {
    let has_server =
        |folder: &Path| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    if let Some(folder) = env::var_os("POSTGRES_BINARIES").map(PathBuf::from) {
        return Ok(folder);
    }
    // Debian keeps them off the PATH, one folder for each version.
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, folder)| has_server(folder))
        .max();
    if let Some((_, folder)) = newest {
        return Ok(folder);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).find(|folder| has_server(folder)).ok_or_else(|| {
        "no initdb and postgres, and so no server to kill: install PostgreSQL, or name the folder \
         of its programs in POSTGRES_BINARIES; `tests/run` does both"
            .to_owned()
    })
}
