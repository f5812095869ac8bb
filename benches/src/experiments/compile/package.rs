//! The crates that are checked: one workspace, a member for each.

use benches::Result;
use std::{fmt::Write as _, fs, path::Path};

/// What is derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Derives {
    /// `Serialize, Deserialize`.
    Serde,
    /// `MemcachedOrm` too, for one database.
    SerdeAndOurs,
}

impl Derives {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Serde => "serde",
            Self::SerdeAndOurs => "serde and MemcachedOrm",
        }
    }
}

/// A crate of so many structs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) derives: Derives,
    pub(super) structs: usize,
}

/// The columns, as in the golden expansion.
const FIELDS: &str = "
    pub id: i64,
    pub name: String,
    pub email: Option<String>,
    pub age: i32,
    pub score: f64,
    pub active: bool,
    pub avatar: Vec<u8>,
    pub visits: i64,
    pub level: i16,
    pub nickname: Option<String>,
}
";

impl Package {
    pub(super) fn name(&self) -> String {
        let derives = match self.derives {
            Derives::Serde => "serde",
            Derives::SerdeAndOurs => "both",
        };
        format!("{derives}-{}", self.structs)
    }

    /// Writes `lib.rs`.
    pub(super) fn write_source(&self, folder: &Path) -> Result<()> {
        let path = folder.join(self.name()).join("src/lib.rs");
        Ok(fs::write(path, self.source()?)?)
    }

    fn source(&self) -> Result<String> {
        let mut source = String::new();
        if self.structs > 0 {
            source.push_str("use serde::{Deserialize, Serialize};\n");
            if self.derives == Derives::SerdeAndOurs {
                source.push_str("use cached_orm::{MemcachedOrm, Postgres};\n");
            }
        }
        for number in 0..self.structs {
            match self.derives {
                Derives::Serde => {
                    write!(source, "#[derive(Serialize, Deserialize)]\npub struct User{number} {{")?
                }
                Derives::SerdeAndOurs => write!(
                    source,
                    "#[derive(Serialize, Deserialize, MemcachedOrm)]\n\
                     #[orm(table = \"users_{number}\", database = Postgres)]\n\
                     pub struct User{number} {{\n    #[primary_key]\n    #[orm(generated)]"
                )?,
            }
            source.push_str(FIELDS);
        }
        Ok(source)
    }

    fn manifest(&self, root: &Path) -> String {
        let (name, root) = (self.name(), root.display());
        format!(
            "[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
             [dependencies]\n\
             cached-orm = {{ path = \"{root}/cached-orm\", features = [\"postgres\"] }}\n\
             serde = {{ version = \"1\", features = [\"derive\"] }}\n"
        )
    }
}

/// Writes the workspace, with the versions that the repository has.
pub(super) fn write(folder: &Path, root: &Path, packages: &[Package]) -> Result<()> {
    fs::create_dir_all(folder)?;
    let names: Vec<_> = packages.iter().map(Package::name).collect();
    let workspace = format!("[workspace]\nresolver = \"3\"\nmembers = {names:?}\n");
    fs::write(folder.join("Cargo.toml"), workspace)?;
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))
        .map_err(|error| format!("Cargo.lock could not be copied: {error}"))?;
    for package in packages {
        fs::create_dir_all(folder.join(package.name()).join("src"))?;
        fs::write(folder.join(package.name()).join("Cargo.toml"), package.manifest(root))?;
        package.write_source(folder)?;
    }
    Ok(())
}
