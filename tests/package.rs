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
    for package in ["cached-orm", "cached-orm-derive"] {
        let files = files(package);
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "src/lib.rs"] {
            assert!(files.iter().any(|found| found == file), "{package} without {file}");
        }
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
}
