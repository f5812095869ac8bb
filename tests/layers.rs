//! The modules of `cached-orm` import downwards: those edges that still lead up are
//! listed here, and there may be no others.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// From the lowest to the highest, as in ARCHITECTURE.md.
const LAYERS: &[&str] = &[
    "policy",
    "primary_key",
    "pooled",
    "uncached",
    "entry",
    "index",
    "entity",
    "error",
    "freshness",
    "sql",
    "named_table",
    "schema",
    "observe",
    "triggers",
    "transaction",
    "test_kit",
    "probe",
    "outbox",
    "cache_url",
    "builder",
    "orm",
    "session",
    "pending",
    "write",
    "read",
    "inspect",
    "patch",
    "memcached_orm",
    "also_fenced",
    "fuzzing",
];

/// What still leads up, to be cut. A line that is not needed any more is taken out.
const STILL_UP: &[(&str, &str)] = &[
    ("builder", "orm"),
    ("cache_url", "builder"),
    ("entity", "error"),
    ("entity", "schema"),
    ("entity", "sql"),
    ("entry", "entity"),
    ("entry", "inspect"),
    ("index", "entity"),
    ("observe", "inspect"),
    ("observe", "orm"),
    ("outbox", "orm"),
    ("pooled", "sql"),
    ("schema", "orm"),
    ("sql", "schema"),
    ("sql", "triggers"),
    ("transaction", "orm"),
    ("transaction", "outbox"),
    ("transaction", "read"),
    ("transaction", "write"),
    ("triggers", "orm"),
    ("uncached", "entity"),
];

#[test]
fn modules_import_downwards_and_no_more_lead_up() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("cached-orm/src");
    let lib = read(&source.join("lib.rs"));
    let names = public_names(&lib);
    let mut edges = BTreeMap::new();
    for (module, text) in modules(&source) {
        for named in named_in_the_crate(&text) {
            let to = names.get(&named).unwrap_or(&named).clone();
            // A name of the protocol's or of sqlx's is no edge.
            if to != module && LAYERS.contains(&to.as_str()) {
                edges.entry((module.clone(), to)).or_insert(named);
            }
        }
    }
    assert!(edges.len() > 100, "too few imports were found: {edges:?}");
    let place = |module: &str| {
        let place = LAYERS.iter().position(|layer| *layer == module);
        place.unwrap_or_else(|| panic!("`{module}` is in none of the layers"))
    };
    let up: BTreeMap<_, _> =
        edges.iter().filter(|((from, to), _)| place(to) > place(from)).collect();
    for ((from, to), named) in &up {
        let is_known = STILL_UP.contains(&(from.as_str(), to.as_str()));
        assert!(is_known, "`{from}` imports `{named}` from `{to}`, which is above it");
    }
    for (from, to) in STILL_UP {
        let edge = (from.to_string(), to.to_string());
        assert!(up.contains_key(&edge), "`{from}` does not import from `{to}` any more");
    }
}

/// Which module has what the crate's root has.
fn public_names(lib: &str) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    // What is for the derive's output stands behind it.
    let root = lib.split("pub mod __private").next().unwrap_or_default();
    for statement in root.split(';') {
        let Some((_, path)) = statement.split_once("pub use ") else { continue };
        let Some((module, what)) = path.split_once("::") else { continue };
        for name in words(what) {
            names.insert(name, module.to_owned());
        }
    }
    names
}

/// Each file's text without comments, and the module at the root that it is of.
fn modules(source: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("a folder that can be read").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let within = path.strip_prefix(source).expect("a path within");
            let first = within.iter().next().and_then(|name| name.to_str()).expect("a name");
            let module = first.trim_end_matches(".rs").to_owned();
            if module != "lib" {
                found.push((module, without_comments(&read(&path))));
            }
        }
    }
    found
}

fn without_comments(text: &str) -> String {
    let code = |line: &'_ str| line.split("//").next().unwrap_or_default().to_owned();
    text.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// What stands right after `crate::`, alone or in a list.
fn named_in_the_crate(text: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for rest in text.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            named.extend(words(rest).next());
            continue;
        };
        let mut depth = 0;
        let mut item = String::new();
        for character in list.chars() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => named.extend(words(&std::mem::take(&mut item)).next()),
                _ if depth == 0 => item.push(character),
                _ => {}
            }
        }
        named.extend(words(&item).next());
    }
    named
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    text.split(move |character| !is_part(character))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
