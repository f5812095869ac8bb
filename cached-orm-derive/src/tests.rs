//! What the derive writes, as goldens in `tests/expansion`.

use crate::{database::Features, derive};
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

const ALL: Features = Features { postgres: true, mysql: true, sqlite: true, json: true };
const NONE: Features = Features { postgres: false, mysql: false, sqlite: false, json: false };

/// The longest expansion that a ten-column struct may have, in lines.
const BUDGET: usize = 105;

/// Expands every `name.rs` and compares it with `name.expanded.rs`;
/// `EXPANSION=overwrite` writes the latter.
#[test]
fn goldens() {
    let overwrite = env::var_os("EXPANSION").is_some_and(|value| value == "overwrite");
    let mut failed = Vec::new();
    for path in inputs() {
        let expanded = expand(&fs::read_to_string(&path).unwrap());
        let golden = path.with_extension("expanded.rs");
        if overwrite {
            fs::write(&golden, &expanded).unwrap();
        } else if fs::read_to_string(&golden).ok().as_deref() != Some(&expanded) {
            eprintln!("{} expands to:\n{expanded}", path.display());
            failed.push(path);
        }
    }
    assert!(failed.is_empty(), "{failed:?} differ; `EXPANSION=overwrite` accepts them");
}

#[test]
fn ten_columns_stay_within_the_budget() {
    let lines = expand(include_str!("../tests/expansion/ten_columns.rs")).lines().count();
    assert!(lines <= BUDGET, "{lines} lines");
}

/// The structs in `tests/expansion`.
fn inputs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expansion");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| !path.to_string_lossy().ends_with(".expanded.rs")).collect()
}

fn expand(file: &str) -> String {
    let expansion = derive(file.parse().unwrap(), ALL);
    prettyplease::unparse(&syn::parse2(expansion).unwrap())
}

/// No input makes the derive panic: every golden's struct with each token in
/// turn left out, or replaced by something odd.
#[test]
fn odd_inputs_do_not_panic() {
    let odd = [
        quote!(),
        quote!(""),
        quote!("0s"),
        quote!(-1.5e300),
        quote!(,),
        quote!(()),
        quote!(r#self_),
        "ŉ".parse().unwrap(),
        quote!(=),
    ];
    for path in inputs() {
        let tokens: TokenStream = fs::read_to_string(&path).unwrap().parse().unwrap();
        for n in 0..count(&tokens) {
            for odd in &odd {
                for features in [ALL, NONE] {
                    derive(replaced(&tokens, &mut { n }, odd), features);
                }
            }
        }
    }
}

fn count(tokens: &TokenStream) -> usize {
    let inner = |token| match token {
        TokenTree::Group(group) => count(&group.stream()),
        _ => 0,
    };
    tokens.clone().into_iter().map(|token| 1 + inner(token)).sum()
}

/// `tokens` with the token number `n` replaced, groups being counted before
/// what is in them.
fn replaced(tokens: &TokenStream, n: &mut usize, by: &TokenStream) -> TokenStream {
    let mut result = TokenStream::new();
    for token in tokens.clone() {
        let here = *n == 0;
        *n = n.wrapping_sub(1);
        match token {
            _ if here => result.extend(by.clone()),
            TokenTree::Group(group) => {
                let inner = replaced(&group.stream(), n, by);
                result.extend([TokenTree::Group(Group::new(group.delimiter(), inner))]);
            }
            token => result.extend([token]),
        }
    }
    result
}

/// `tests/diagnostics` has every feature enabled.
#[test]
fn features_that_are_off_are_named() {
    let fields = quote!({ #[primary_key] id: i64, #[orm(json)] list: Vec<i64> });
    let unnamed = derive(quote!(struct User #fields), NONE).to_string();
    assert!(
        unnamed.contains("no database is enabled; enable a feature of `cached-orm`"),
        "{unnamed}"
    );
    assert!(unnamed.contains("`json` is not enabled; enable the feature `json`"), "{unnamed}");

    let named =
        derive(quote!(#[orm(database = (MySql, Sqlite))] struct User #fields), NONE).to_string();
    for (database, feature) in [("MySql", "mysql"), ("Sqlite", "sqlite")] {
        let message =
            format!("`{database}` is not enabled; enable the feature `{feature}` of `cached-orm`");
        assert!(named.contains(&message), "{named}");
    }
}

#[test]
fn unnamed_databases_are_those_of_the_features() {
    let sqlite = Features { sqlite: true, ..NONE };
    let expansion = derive(
        quote!(
            struct User {
                #[primary_key]
                id: i64,
            }
        ),
        sqlite,
    )
    .to_string();
    assert!(expansion.contains("SqliteSession") && !expansion.contains("Postgres"), "{expansion}");
}
