use super::{Dialect, Word, words};
use Dialect::{MySql, Postgres, Sqlite};

fn names(sql: &str, dialect: Dialect) -> Vec<String> {
    let words = words(sql, dialect);
    words.iter().filter_map(Word::name).map(str::to_owned).collect()
}

#[test]
fn comments_and_strings_are_no_names() {
    for (sql, dialect) in [
        ("a -- b\n c", Postgres),
        ("a /* b /* b */ b */ c", Postgres),
        ("a E'b\\' b' c", Postgres),
        ("a $b$ it's b $b$ c", Postgres),
        ("a $$ b $$ c", Postgres),
        ("a 'b''b' c", Postgres),
        ("a X'b' c", Postgres),
        ("a # b\n c", MySql),
        ("a \"b\\\" b\" c", MySql),
        ("a /* b */ c", MySql),
        ("a -- b\n c", MySql),
        ("a 'b\\'b' c", MySql),
        ("a /* b */ c", Sqlite),
        ("a 'b\\' c", Sqlite),
    ] {
        assert_eq!(names(sql, dialect), ["a", "c"], "{sql}");
    }
}

#[test]
fn what_is_a_comment_elsewhere_is_read() {
    for (sql, dialect) in [
        ("a #>> b", Postgres),
        ("a[b]", Postgres),
        ("a--b", MySql),
        ("/*!50003 a */ b", MySql),
        ("/*M!100 a */ b", MySql),
        ("[a] b", Sqlite),
        ("`a` \"b\"", Sqlite),
    ] {
        assert_eq!(names(sql, dialect), ["a", "b"], "{sql}");
    }
    assert_eq!(names("\"a\"\"b\" A", Postgres), ["a\"b", "a"]);
    assert_eq!(names("\u{212a} `A` b", Postgres), ["\u{212a}", "a", "b"]);
    assert_eq!(names("A `B`", MySql), ["A", "B"]);
}

#[test]
fn a_functions_name_apart_from_its_parenthesis_is_any_name() {
    for (sql, is_function) in
        [("now()", true), ("now ()", false), ("now/**/()", false), ("now-- \n()", false)]
    {
        let is_name = matches!(words(sql, MySql).first(), Some(Word::Name(_)));
        assert_eq!(is_name, is_function, "{sql}");
    }
    assert!(matches!(words("now ()", Postgres).first(), Some(Word::Name(_))));
}

#[test]
fn texts_that_end_early_are_read_to_their_end() {
    for sql in ["'open", "\"open", "/* open", "/* /* */", "[open", "-- open", "", "é'", "$a$é"] {
        for dialect in [Postgres, MySql, Sqlite] {
            words(sql, dialect);
        }
    }
}
