//! The README shows what the derive really writes.

use std::{fs, path::Path};

#[test]
fn the_expansion_in_the_readme_is_the_derives() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| fs::read_to_string(root.join(file)).expect(file);
    let readme = read("README.md");
    for file in ["first_row.rs", "first_row.expanded.rs"] {
        let text = read(&format!("cached-orm-derive/tests/expansion/{file}"));
        assert!(readme.contains(&text), "README.md does not have the text of {file}");
    }
}
