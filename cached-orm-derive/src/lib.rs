//! The derive macro of `cached-orm`.
#![forbid(unsafe_code)]

mod attributes;
mod database;
mod errors;
mod expand;
mod model;
mod names;
mod sql;
#[cfg(test)]
mod tests;

use database::Features;
use errors::Errors;
use model::Model;
use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

/// Maps a struct to a table, whose rows are cached.
///
/// ```text
/// use cached_orm::MemcachedOrm;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, Serialize, Deserialize, MemcachedOrm)]
/// #[orm(table = "users", database = Postgres, ttl = "10m")]
/// struct User {
///     #[primary_key]
///     #[orm(generated)]
///     id: i64,
///     #[orm(column = "mail")]
///     email: String,
///     #[orm(readonly)]
///     legacy_id: Option<i32>,
///     #[orm(skip)]
///     draft: bool,
/// }
/// ```
///
/// The struct has named fields and no generic parameters, and derives serde's
/// `Serialize` and `Deserialize`: a cache entry is what they write. Each field
/// is a column, unless it is skipped.
///
/// # On the struct
///
/// | `#[orm(…)]` | meaning | default |
/// |---|---|---|
/// | `table = "users"`, `table = "app.users"` | the table, after its schema | the struct's name in snake case |
/// | `database = Postgres`, `database = (Postgres, Sqlite)` | what the SQL is written for: `Postgres`, `MySql`, `Sqlite` | each database that a feature of `cached-orm` enables |
/// | `cache_name = "users"` | the first part of cache keys, after the namespace | the table |
/// | `ttl = "1h30m"` | how long a row stays in the cache, in `d`, `h`, `m` and `s`; 30 days at most | `1h` |
/// | `ttl_jitter = 0.1` | the part of the TTL by which it is shortened at random, so that rows cached together do not expire together | `0.1` |
/// | `negative_ttl = "5s"`, `negative_ttl = "off"` | how long it is remembered that there is no such row | `5s` |
/// | `min_compress_len = 1024` | compresses entries of so many bytes and more; needs the feature `lz4` | no compression |
/// | `near_ttl = "1s"` | also keeps copies in this process, and gives clones of them, for a struct that is `Clone`: reads may be that much older than what another process has written | no copies |
/// | `early_refresh = "30s"` | a hit on a row that lives no longer than this has one reader load it anew in the background | off |
/// | `stale_if_error = "1h"` | how much longer a row can be had by `fetch_or_stale`, if the database fails; with the TTL 30 days at most | off |
/// | `also_fences(UserSummary)` | another struct on the table, with a `cache_name` of its own and without indexes: what is written through this one is fenced for that one too | none |
/// | `accepts(partitions, …)` | what the table may be like, although the cache is then not told of every change; without it such a table is refused: `views`, `partitions`, `row_security`, `rules`, `other_rows`, which are the variants of `cached_orm::Accepted` | none |
/// | `unique(team, handle)` | no two rows have the same values in these columns: an index over them, with `fetch_by_team_and_handle`. Any number of these | none |
/// | `index(team, city)` | the same for columns in which several rows may have the same values | none |
/// | `rename_all = "camelCase"` | how columns are spelt, with serde's names for cases | as the fields |
/// | `crate = "my::cached_orm"` | where `cached-orm` is | `::cached_orm` |
///
/// # On fields
///
/// | attribute | meaning |
/// |---|---|
/// | `#[primary_key]` | identifies the row. Up to eight fields make a composite key, a tuple in their order |
/// | `#[orm(column = "mail")]` | the column, if it is not called like the field |
/// | `#[orm(generated)]` | the database makes the value (an identity, a default, a trigger): never written, and read back |
/// | `#[orm(readonly)]` | never written, and read back |
/// | `#[orm(unique)]` | no two rows have the same value: an index over the column, with `fetch_by_email` |
/// | `#[orm(index)]` | the same for a column in which several rows may have the same value |
/// | `#[orm(version)]` | an integer that counts the row's versions: `update` writes only over the version that it was given, and adds one |
/// | `#[orm(json)]` | stored as JSON; needs the feature `json` |
/// | `#[orm(uncached)]` | never in the cache; the field is an `Uncached<…>` |
/// | `#[orm(skip)]` | no column: `Default` when it is read |
///
/// # Indexes
///
/// An index must be one of the table too, and unique if it is called so. Its method
/// takes the values, or what can be turned into them, and no `Option`: NULL equals
/// nothing. `fetch_by_email` of a unique index gives the row, if there is one, and of
/// any other all rows, in the order of their primary keys as the database sorts them.
/// Both read from the cache, and in a transaction from the database.
///
/// What is cached of an index are primary keys: the rows lie in the cache once. A row
/// is given only if it has the very value that was asked for, byte for byte, whatever
/// the column's collation takes for equal.
///
/// Entries are right as long as every writer of the table knows of the index:
///
/// - Bring an index into programs that are running in two steps: first the struct with
///   the index, everywhere, and then the reads by it. So does one that changes from
///   `unique` to `index`, or back.
/// - Another struct on the same table needs the same index and `cache_name`. A write
///   through one that lacks it is refused as soon as this `Orm` has read by it.
/// - SQL of others, or of your own, needs `Orm::install_triggers` or
///   `Transaction::touch`; so do columns that a trigger changes after the statement
///   (AFTER triggers that update their own table).
///
/// # What it writes
///
/// - `impl Entity`: the key, the names, the caching policy;
/// - `impl Persist<…>` for each database: the statements, and how a row is read
///   and its columns are bound;
/// - `fetch_by_…` for each index;
/// - `fetch`, `update`, `refresh`, `delete` and `get_instance_key` as methods of
///   the struct, so that these need no import; the trait `MemcachedOrm` has the
///   others. With one database they name it; with several they take a session
///   of any of them;
/// - `UserColumns`, beside a struct `User`: a constant for each column, such as
///   `UserColumns::EMAIL`.
///
/// # Serde's attributes
///
/// The cached row is what serde writes. Attributes that would lose a column are
/// refused: `skip`, `skip_serializing_if` and their like, `flatten`, one of
/// `serialize_with` and `deserialize_with` without the other, and names that are
/// written and not read, as by `rename(serialize = "…")` alone. Renaming both ways
/// and `default` do no harm.
///
/// What serde does to single values, by `with` or in a field's type, is seen when a
/// row is stored: it is read back from its entry, and both are encoded as arguments
/// of a statement. A row of which a column differs is not cached, counted in
/// `Statistics::uncacheable`, and told once by a warning.
///
/// Rows that a program with other columns, types or serde attributes has cached
/// are loaded anew. What is inside a column's type cannot be seen from here:
/// when such a type changes its meaning, or gets a field that may be missing,
/// give the struct another serde name, which lies nowhere but counts as a change:
/// `#[serde(rename = "User, with themes")]`. Not another `cache_name` while
/// programs with the old one run: they would not fence each other's rows.
#[proc_macro_derive(MemcachedOrm, attributes(orm, primary_key))]
pub fn derive_memcached_orm(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive(input.into(), Features::OF_THIS_BUILD).into()
}

fn derive(input: TokenStream, features: Features) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let expansion = Model::check(&input, features, &mut errors).map(|model| expand::expand(&model));
    let errors = errors.into_compile_errors();
    quote!(#expansion #errors)
}
