//! What the user reads after a mistake: each file of `tests/diagnostics` and
//! the compiler's answer beside it. `TRYBUILD=overwrite` accepts new answers.

#[test]
fn mistakes_are_explained_where_they_were_made() {
    trybuild::TestCases::new().compile_fail("tests/diagnostics/*.rs");
}
