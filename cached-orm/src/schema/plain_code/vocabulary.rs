//! The words of plain expressions, by dialect.

use crate::schema::words::Dialect::{self, MySql, Postgres, Sqlite};

/// Words, with blanks between them, and the dialects in which they are what the table says.
type Words = &'static [(&'static [Dialect], &'static str)];

const EVERYWHERE: &[Dialect] = &[Postgres, MySql, Sqlite];

/// Functions of the database's own that change nothing, and call no code of others. On
/// MySQL only those that every version and MariaDB have: others can be a schema's own.
/// PostgreSQL's may be those of its extensions.
const FUNCTIONS: Words = &[
    (
        EVERYWHERE,
        "abs ascii cast ceil ceiling char_length coalesce concat concat_ws exp floor format
         json_array json_object left length ln lower lpad ltrim mod nullif octet_length power
         replace reverse right round rpad rtrim sign sqrt substr substring trim upper",
    ),
    (
        &[Postgres, MySql],
        "bit_length character_length current_date current_time current_timestamp extract
         greatest least localtime localtimestamp log md5 now position regexp_replace repeat",
    ),
    (
        &[MySql, Sqlite],
        "char date hex ifnull instr json_extract json_insert json_quote json_remove json_replace
         json_set json_type json_valid quote time",
    ),
    (&[Postgres, Sqlite], "json_array_length random trunc"),
    (
        &[Postgres],
        "age array_append array_cat array_length array_position array_prepend array_remove
         array_replace array_to_json array_to_string array_to_tsvector btrim cardinality chr
         clock_timestamp crypt current_database current_schema current_setting currval date_bin
         date_part date_trunc decode digest div encode gen_random_bytes gen_random_uuid gen_salt
         hashtext hashtextextended hmac hstore inet_client_addr initcap isfinite
         json_build_array json_build_object json_strip_nulls json_typeof jsonb_array_length
         jsonb_build_array jsonb_build_object jsonb_extract_path jsonb_extract_path_text
         jsonb_insert jsonb_object jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_typeof
         justify_days justify_hours justify_interval lastval make_date make_interval make_time
         make_timestamp make_timestamptz nextval num_nonnulls num_nulls overlay
         pg_advisory_xact_lock pg_backend_pid pg_current_xact_id pg_notify pg_trigger_depth
         plainto_tsquery quote_ident quote_literal quote_nullable regexp_match
         regexp_split_to_array row_to_json setweight sha224 sha256 sha384 sha512 split_part
         starts_with statement_timestamp string_to_array strip strpos timeofday timezone to_char
         to_date to_hex to_json to_jsonb to_number to_timestamp to_tsquery to_tsvector
         transaction_timestamp translate txid_current unaccent uuid_generate_v1
         uuid_generate_v4 uuidv4 uuidv7 version",
    ),
    (
        &[MySql],
        "adddate connection_id conv convert crc32 curdate current_user curtime database
         date_add date_format date_sub datediff day dayofmonth dayofweek dayofyear elt field
         find_in_set from_base64 from_days from_unixtime hour inet6_aton inet6_ntoa inet_aton
         inet_ntoa isnull json_contains json_keys json_length json_unquote last_day lcase locate
         log10 log2 makedate maketime microsecond mid minute month monthname ord pow quarter
         rand regexp_instr regexp_substr sec_to_time second session_user sha sha1
         sha2 soundex space str_to_date strcmp subdate substring_index sysdate system_user
         time_format time_to_sec timediff timestamp timestampadd timestampdiff to_base64 to_days
         truncate ucase unhex unix_timestamp user utc_date utc_time utc_timestamp uuid week
         weekday year",
    ),
    (
        &[Sqlite],
        "changes datetime glob iif json json_patch julianday last_insert_rowid like max min
         printf raise randomblob strftime total_changes typeof unicode unixepoch zeroblob",
    ),
];

/// Keywords that can follow or precede a value; a string behind one is a string.
const KEYWORDS: Words = &[(
    EVERYWHERE,
    "and between both case distinct div else end escape false glob ilike in interval is leading
     like mod not null or regexp rlike row then trailing true when xor zone",
)];

/// Those that have a parenthesis behind them and are no function's name.
const BEFORE_PARENTHESES: Words = &[
    (EVERYWHERE, "and between case distinct else in is like not or row then when"),
    (&[MySql], "if values"),
];

/// Words that stand in no plain expression, where any other name is taken for a column or
/// a variable. What begins a query needs one of them.
const NEVER: Words = &[(
    EVERYWHERE,
    "all any array as begin binary call collate copy delete do except execute exists filter for
     from group insert intersect into limit load merge on operator order over perform replace
     returning select set some table truncate union update using with within",
)];

/// Types to which the database casts by code of its own; on SQLite all are.
const TYPES: Words = &[
    (&[Postgres, MySql], "char date decimal double float integer json real time"),
    (
        &[Postgres],
        "bigint bool boolean bpchar bytea character float4 float8 inet int int2 int4 int8
         interval jsonb name numeric regclass regconfig smallint text timestamp timestamptz
         uuid varchar",
    ),
    (&[MySql], "binary datetime nchar signed unsigned year"),
];

/// Names in the places of tables and aliases that are something else.
const NO_TABLES: Words =
    &[(EVERYWHERE, "delayed high_priority ignore low_priority new old only or quick")];

/// The functions that plain code may call: on PostgreSQL a schema can have others of these
/// names.
pub(in crate::schema) fn own_functions(dialect: Dialect) -> impl Iterator<Item = &'static str> {
    of(FUNCTIONS, dialect)
}

pub(super) fn is_function(name: &str, dialect: Dialect) -> bool {
    is_among(name, FUNCTIONS, dialect)
}

pub(super) fn is_keyword(name: &str, dialect: Dialect) -> bool {
    is_among(name, KEYWORDS, dialect)
}

pub(super) fn stands_before_parentheses(name: &str, dialect: Dialect) -> bool {
    is_among(name, BEFORE_PARENTHESES, dialect)
}

pub(super) fn is_never_plain(name: &str, dialect: Dialect) -> bool {
    is_among(name, NEVER, dialect)
}

pub(super) fn is_type(name: &str, dialect: Dialect) -> bool {
    dialect == Sqlite || is_among(name, TYPES, dialect)
}

pub(super) fn is_no_table(name: &str, dialect: Dialect) -> bool {
    is_among(name, NO_TABLES, dialect)
}

fn is_among(name: &str, words: Words, dialect: Dialect) -> bool {
    of(words, dialect).any(|word| word.eq_ignore_ascii_case(name))
}

fn of(words: Words, dialect: Dialect) -> impl Iterator<Item = &'static str> {
    let rows = words.iter().filter(move |(dialects, _)| dialects.contains(&dialect));
    rows.flat_map(|(_, words)| words.split_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::{BEFORE_PARENTHESES, FUNCTIONS, KEYWORDS, NEVER, NO_TABLES, TYPES};

    #[test]
    fn no_word_stands_twice_in_a_table() {
        for table in [FUNCTIONS, KEYWORDS, BEFORE_PARENTHESES, NEVER, TYPES, NO_TABLES] {
            let mut words: Vec<_> =
                table.iter().flat_map(|(_, words)| words.split_ascii_whitespace()).collect();
            let count = words.len();
            words.sort_unstable();
            words.dedup();
            assert_eq!(words.len(), count, "{words:?}");
        }
    }
}
