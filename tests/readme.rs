//! The README and the guide show what the derive really writes.

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

#[test]
fn the_expansion_in_the_guide_is_the_derives_but_for_comments() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| fs::read_to_string(root.join(file)).expect(file);
    let is_comment = |line: &&str| line.trim_start().starts_with("// ");
    let guide = read("docs/expansion.md");
    let guide: Vec<_> = guide.lines().filter(|line| !is_comment(line)).collect();
    let guide = guide.join("\n");
    for file in ["everything.rs", "everything.expanded.rs"] {
        let text = read(&format!("cached-orm-derive/tests/expansion/{file}"));
        assert!(guide.contains(text.trim_end()), "docs/expansion.md does not have {file}");
    }
}
