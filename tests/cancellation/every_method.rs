//! Whether the tables of the sweep name every public method that can be dropped.

use std::{collections::BTreeSet, fs, path::Path};

/// Those that no `Orm`, transaction or row has, and what leaves nothing behind.
const ELSEWHERE: &[&str] = &[
    // Before there is an `Orm`, or when it is gone.
    "connect",
    "build",
    "close",
    // `ends.rs`.
    "savepoint",
    "commit",
    "rollback",
    "touch",
    // `caller_owned.rs`.
    "insert_on",
    "update_on",
    "delete_on",
    "fence",
    "release",
];

/// What is asynchronous in a source, and whether it is public by itself.
fn methods(source: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut lines = source.lines().peekable();
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        let (is_public, rest) = match line.strip_prefix("pub ") {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let (is_async, rest) = match rest.strip_prefix("async ") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let Some(rest) = rest.strip_prefix("fn ") else { continue };
        let name = rest.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect();
        let mut signature = rest.to_owned();
        while !signature.ends_with(['{', ';'])
            && let Some(next) = lines.next_if(|next| !next.contains(" fn "))
        {
            signature.push_str(next);
        }
        if is_async || signature.contains("-> impl Future") {
            found.push((name, is_public));
        }
    }
    found
}

fn files(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() {
            // A kit for tests, and the protocol, which knows no database.
            if !["test_kit", "tests", "coherence", "cache"].contains(&name.as_str()) {
                files(&path, found);
            }
        } else if name.ends_with(".rs") {
            let source = fs::read_to_string(&path).expect("a source is a text");
            let is_trait = name == "memcached_orm.rs";
            let public =
                methods(&source).into_iter().filter(|(_, is_public)| *is_public || is_trait);
            found.extend(public.map(|(name, _)| name));
        }
    }
}

#[test]
fn every_public_method_is_swept() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("cached-orm/src");
    let mut found = Vec::new();
    files(&sources, &mut found);
    let swept = crate::sqlite::swept().chain(ELSEWHERE.iter().copied()).collect::<BTreeSet<_>>();
    assert!(found.len() > 40, "the sources are read wrongly: {found:?}");
    let missing: BTreeSet<_> =
        found.iter().map(String::as_str).filter(|method| !swept.contains(method)).collect();
    assert!(missing.is_empty(), "add a line to `suite/methods.rs` for {missing:?}");
    let gone: Vec<_> =
        swept.iter().filter(|name| !found.iter().any(|found| found == *name)).collect();
    assert!(gone.is_empty(), "there is no such method: {gone:?}");
}
