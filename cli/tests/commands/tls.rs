//! A database that takes nobody without TLS.

use crate::{
    command_line::{Run, run_with},
    place::variable,
};

/// Asks the server at its URL with other parameters.
fn status(parameters: impl FnOnce(&str) -> String) -> Run {
    let server = variable("TEST_POSTGRES_TLS_URL");
    let (address, given) = server.split_once('?').expect("it says which certificate");
    let database = format!("{address}?{}", parameters(given));
    let cache = format!("{}?namespace=tls&timeout=5s", variable("TEST_MEMCACHED_URL"));
    run_with(&["status"], &[("DATABASE_URL", &database), ("CACHE_URL", &cache)], "")
}

#[test]
fn it_is_reached_with_a_certificate_that_is_checked_and_without_a_word_about_it() {
    for parameters in [|given: &str| given.to_owned(), |_: &str| String::new()] {
        let run = status(parameters);
        assert_eq!(run.line("database"), "PostgreSQL, up", "{run:?}");
    }
}

#[test]
fn without_tls_or_with_a_certificate_that_nobody_knows_it_says_so() {
    for (parameters, told) in
        [("sslmode=disable", "pg_hba.conf"), ("sslmode=verify-full", "certificate")]
    {
        let run = status(|_| parameters.to_owned());
        assert_eq!(run.code, Some(3), "{run:?}");
        assert!(run.line("database").contains(told), "{run:?}");
    }
}
