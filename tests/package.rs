//! What is published holds all that it refers to, and its licences.

use std::process::Command;

/// The files of a package, as `cargo package` would take them.
fn files(package: &str) -> Vec<String> {
    let listed = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--offline", "--package", package])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).expect("paths of ours");
    // Cargo writes them as the system does.
    listed.lines().map(|line| line.replace('\\', "/")).collect()
}

#[test]
fn each_crate_has_its_readme_and_its_licences() {
    for package in ["cached-orm", "cached-orm-derive", "cached-orm-protocol"] {
        let files = files(package);
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "src/lib.rs"] {
            assert!(files.iter().any(|found| found == file), "{package} without {file}");
        }
    }
}

/// So that a change to the protocol is checked in seconds.
#[test]
fn the_protocol_and_its_tests_need_no_database() {
    let listed = Command::new(env!("CARGO"))
        .args(["tree", "--package", "cached-orm-protocol", "--all-features"])
        .args(["--edges", "normal,build,dev", "--prefix", "none", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).expect("names of crates");
    assert!(listed.contains("quick_cache"), "{listed}");
    for database in ["sqlx", "rmp-serde", "cached-orm v"] {
        let found = listed.lines().find(|line| line.starts_with(database));
        assert_eq!(found, None, "the protocol depends on it");
    }
}

/// Documentation and tests name files relative to the crate, and so not outside of it.
#[test]
fn the_crate_has_every_file_that_it_includes() {
    let files = files("cached-orm");
    let lib = include_str!("../cached-orm/src/lib.rs");
    let included: Vec<_> =
        lib.split("include_str!(\"../").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(included.len() > 10, "{included:?}");
    for file in included.into_iter().chain(["doc/user.rs", "doc/shop.rs"]) {
        assert!(files.iter().any(|found| found == file), "{file} is outside of the crate");
    }
    for target in ["entries", "replies", "keys", "cache_urls"] {
        let corpus = format!("corpus/{target}/");
        assert!(files.iter().any(|found| found.starts_with(&corpus)), "no {corpus}");
    }
    let files = self::files("cached-orm-protocol");
    assert!(files.iter().any(|found| found.starts_with("corpus/replies/")), "no corpus");
}
