//! What cannot be done is said: what was tried, why not, and what to do; never a password.

use crate::{
    command_line::{run, run_with},
    place::NOBODY,
};

const CACHE: &str = "memcached://127.0.0.1:1";

#[test]
fn a_url_that_is_missing_or_wrong_is_a_usage_error_without_its_secrets() {
    let database = "postgres://ann:hunter2@db.example/shop";
    for (arguments, told) in [
        (&["status"][..], "no database was named"),
        (&["status", "--database-url", "ann:hunter2@db/shop"], "no scheme"),
        (&["status", "--database-url", "oracle://ann:hunter2@db/shop"], "no scheme"),
        (&["status", "--database-url", database], "no cache was named"),
        (&["status", "--database-url", database, "--cache-url", "redis://:hunter2@c"], "`@`"),
        (&["status", "--database-url", database, "--cache-url", "redis://c"], "memcached://"),
        (&["status", "--database-url", database, "--cache-url", "embedded://64mb"], "inside"),
        (
            &["status", "--database-url", "postgres://ann:hunter2@db:x/shop", "--cache-url", CACHE],
            "cannot be read",
        ),
        (
            &["status", "--database-url", database, "--cache-url", "memcached://c?ttl=5"],
            "unknown parameter `ttl`",
        ),
    ] {
        let run = run(arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}: {run:?}");
        assert!(run.err.contains(told), "{arguments:?}: {run:?}");
        assert!(!run.err.contains("hunter2") && !run.out.contains("hunter2"), "{run:?}");
    }
}

#[test]
fn a_signing_key_that_is_none_is_not_repeated() {
    let url = "postgres://ann@db.example/shop";
    for keys in ["hunter2", &"7b".repeat(31), &format!("{},hunter2", "7b".repeat(32))] {
        let variables = [("DATABASE_URL", url), ("CACHE_URL", CACHE), ("CACHE_SIGNING_KEYS", keys)];
        let run = run_with(&["audit", "users"], &variables, "");
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.err.contains("64 hexadecimal digits"), "{run:?}");
        assert!(!run.err.contains("hunter2") && !run.err.contains("7b7b"), "{run:?}");
    }
}

#[test]
fn a_database_that_does_not_answer_is_named_without_its_password() {
    for scheme in ["postgres", "mysql"] {
        let url = format!("{scheme}://ann:hunter2@{NOBODY}/shop");
        let variables = [("DATABASE_URL", &*url), ("CACHE_URL", CACHE)];
        let audit = run_with(&["audit", "users"], &variables, "");
        assert_eq!(audit.code, Some(3), "{audit:?}");
        assert!(audit.err.contains(&format!("at {NOBODY}, database shop: ")), "{audit:?}");
        assert!(audit.err.contains("DATABASE_URL"), "{audit:?}");

        let json = run_with(&["outbox", "status", "--json"], &variables, "");
        assert_eq!(json.code, Some(3), "{json:?}");
        assert_eq!(json.json()["error"]["kind"], "unreachable");

        // Of these, what can be told is told.
        let status = run_with(&["status", "--json"], &variables, "");
        assert_eq!(status.code, Some(3), "{status:?}");
        assert_eq!(status.json()["servers"][0]["name"], NOBODY);
        let explain = run_with(&["explain", "users", "7", "--json"], &variables, "");
        assert_eq!(explain.code, Some(3), "{explain:?}");
        assert_eq!(explain.json()["key"], "users:(7)");

        for run in [audit, json, status, explain] {
            assert!(!run.err.contains("hunter2") && !run.out.contains("hunter2"), "{run:?}");
        }
    }
    let missing = ["audit", "users", "--database-url", "sqlite:///nowhere/shop.sqlite"];
    let run = run_with(&missing, &[("CACHE_URL", CACHE)], "");
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.err.contains("/nowhere/shop.sqlite"), "{run:?}");
}

#[test]
fn an_error_is_an_object_where_one_is_expected() {
    let run = run(&["outbox", "status", "--json"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    let error = &run.json()["error"];
    assert_eq!(error["kind"], "usage");
    assert!(error["message"].is_string() && error["advice"].is_string(), "{error}");
}

#[test]
fn help_has_examples_exit_codes_and_no_values_of_variables() {
    let secret = [("DATABASE_URL", "postgres://ann:hunter2@db/shop")];
    let help = run_with(&["--help"], &secret, "");
    assert_eq!(help.code, Some(0));
    assert!(help.out.contains("Examples:") && help.out.contains("Exit codes:"), "{help:?}");
    assert!(!help.out.contains("hunter2"), "{help:?}");
    for command in [&["explain"][..], &["audit"], &["outbox", "drain"], &["migrate"]] {
        let help = run(&[command, &["--help"]].concat());
        assert_eq!(help.code, Some(0), "{help:?}");
        assert!(help.out.contains("Exits with") || help.out.contains("Examples:"), "{help:?}");
    }
    assert_eq!(run(&["audit"]).code, Some(2));
    assert_eq!(run(&["audt", "users"]).code, Some(2));
}

#[test]
fn shells_can_complete_it() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]);
        assert_eq!(script.code, Some(0), "{script:?}");
        assert!(script.out.contains("explain"), "{shell}");
    }
}
