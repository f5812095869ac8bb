//! Expressions that call nothing but the database's own functions, and read no table.

use crate::schema::words::{Dialect, Word};

/// Words that can follow or precede a value.
const KEYWORDS: &[&str] = &[
    "and", "or", "not", "is", "null", "distinct", "in", "between", "like", "ilike", "case", "when",
    "then", "else", "end", "true", "false", "interval", "zone", "div", "mod", "escape", "glob",
    "rlike", "regexp", "xor", "row",
];

/// Those of them that have a parenthesis behind them and are no function's name.
const BEFORE_PARENTHESES: &[&str] = &[
    "and", "or", "not", "is", "distinct", "in", "between", "like", "case", "when", "then", "else",
    "row",
];

/// Words that stand in no plain expression, where any other name is taken for a column or
/// a variable. What begins a query needs one of them.
const NEVER: &[&str] = &[
    "select",
    "with",
    "table",
    "returning",
    "using",
    "on",
    "order",
    "group",
    "limit",
    "union",
    "intersect",
    "except",
    "for",
    "into",
    "do",
    "begin",
    "perform",
    "execute",
    "call",
    "insert",
    "update",
    "delete",
    "merge",
    "replace",
    "truncate",
    "copy",
    "load",
    "set",
    "exists",
    "any",
    "all",
    "some",
    "array",
    "cast",
    "as",
    "collate",
    "over",
    "filter",
    "within",
    "operator",
    "binary",
];

/// Types to which PostgreSQL casts by code of its own.
const TYPES: &[&str] = &[
    "text",
    "varchar",
    "char",
    "bpchar",
    "name",
    "int",
    "int2",
    "int4",
    "int8",
    "integer",
    "bigint",
    "smallint",
    "numeric",
    "float4",
    "float8",
    "boolean",
    "bool",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "uuid",
    "json",
    "jsonb",
    "interval",
];

/// Functions of every database that is spoken to.
const FUNCTIONS: &[&str] = &[
    "lower",
    "upper",
    "trim",
    "ltrim",
    "rtrim",
    "replace",
    "substr",
    "substring",
    "length",
    "coalesce",
    "nullif",
    "abs",
    "round",
    "concat",
    "concat_ws",
    "left",
    "right",
    "floor",
    "ceil",
    "md5",
];

const POSTGRES: &[&str] = &[
    "now",
    "current_timestamp",
    "mod",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "timezone",
    "date_trunc",
    "initcap",
    "btrim",
    "regexp_replace",
    "char_length",
    "greatest",
    "least",
    "ceiling",
    "gen_random_uuid",
    "to_tsvector",
    "setweight",
    "to_char",
    "to_json",
    "to_jsonb",
    "row_to_json",
    "jsonb_build_object",
    "json_build_object",
    "current_setting",
    "format",
    "pg_notify",
    "pg_trigger_depth",
    "nextval",
];

const MYSQL: &[&str] = &[
    "now",
    "current_timestamp",
    "utc_timestamp",
    "sysdate",
    "curdate",
    "curtime",
    "unix_timestamp",
    "char_length",
    "ifnull",
    "greatest",
    "least",
    "ceiling",
    "sha1",
    "sha2",
    "uuid",
    "user",
    "current_user",
    "database",
    "json_object",
    "date_format",
    "hex",
    "unhex",
];

const SQLITE: &[&str] = &[
    "datetime",
    "date",
    "time",
    "julianday",
    "strftime",
    "unixepoch",
    "ifnull",
    "iif",
    "min",
    "max",
    "json_object",
    "json",
    "hex",
    "printf",
    "format",
    "raise",
    "instr",
    "random",
];

/// The functions that plain code may call: on PostgreSQL a schema can have others of these
/// names.
pub(in crate::schema) fn own_functions(dialect: Dialect) -> impl Iterator<Item = &'static str> {
    let more: &[&str] = match dialect {
        Dialect::Postgres => POSTGRES,
        Dialect::MySql => MYSQL,
        Dialect::Sqlite => SQLITE,
    };
    FUNCTIONS.iter().chain(more).copied()
}

/// Whether it is an expression, or a list of them, that only computes.
pub(in crate::schema) fn is_plain(expression: &[Word], dialect: Dialect) -> bool {
    (0..expression.len()).all(|at| is_plain_at(expression, at, dialect))
}

fn is_plain_at(words: &[Word], at: usize, dialect: Dialect) -> bool {
    let Some(word) = words.get(at) else { return false };
    let before = at.checked_sub(1).and_then(|at| words.get(at));
    let after = words.get(at + 1);
    let follows = |text: &str| after.is_some_and(|after| after.is(text));
    // To PostgreSQL `w.f` can be a call.
    let is_row = |word: Option<&Word>| {
        word.is_some_and(|word| {
            word.is_any(&["new", "old"])
                || dialect != Dialect::Postgres && word.name().is_some() && !is_number(word)
        })
    };
    match word {
        // A backslash means something where a setting says so.
        Word::Text(text) => dialect != Dialect::Postgres || !text.contains('\\'),
        Word::Sign('.') => is_row(before) || before.is_some_and(is_number),
        Word::Sign(':') => dialect == Dialect::Postgres && is_cast(words, at),
        Word::Sign(sign) => "(),+-*/%<>=!|~".contains(*sign),
        // A column, by any name; what a function has behind it is none.
        Word::Name(_) | Word::Quoted(_) if before.is_some_and(|before| before.is(".")) => {
            !follows("(") && !follows(".")
        }
        Word::Quoted(_) => {
            !follows("(") && !is_text(after) && (!follows(".") || is_row(Some(word)))
        }
        Word::Name(name) if name == "from" => before.is_some_and(|before| before.is("distinct")),
        Word::Name(name) if follows("(") => {
            BEFORE_PARENTHESES.contains(&&**name)
                || own_functions(dialect).any(|function| function == name)
                || before.is_some_and(|before| before.is(":"))
        }
        Word::Name(name) if KEYWORDS.contains(&&**name) => true,
        // `date '…'`, `_utf8'…'`, `E'…'`: what a name before a string makes of it is not known.
        Word::Name(name) => {
            !NEVER.contains(&&**name)
                && !name.starts_with(['@', '$'])
                && !is_text(after)
                && (!follows(".") || is_row(Some(word)) || is_number(word))
        }
    }
}

fn is_text(word: Option<&Word>) -> bool {
    matches!(word, Some(Word::Text(_)))
}

fn is_number(word: &Word) -> bool {
    matches!(word, Word::Name(name) if name.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether the colon at this place is of `value::type`, of a type whose code is the
/// database's own.
fn is_cast(words: &[Word], at: usize) -> bool {
    let is_colon = |word: Option<&Word>| word.is_some_and(|word| word.is(":"));
    let (before, after) = (at.checked_sub(1).and_then(|at| words.get(at)), words.get(at + 1));
    match (is_colon(before), is_colon(after)) {
        (false, true) => true,
        (true, false) => after.is_some_and(|name| name.is_any(TYPES)),
        _ => false,
    }
}
