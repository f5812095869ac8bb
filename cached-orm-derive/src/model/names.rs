//! Names of tables, columns and constants.

use super::Declared;
use crate::{
    database::Database,
    errors::Errors,
    names::{Case, snake_case},
};
use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{LitStr, ext::IdentExt as _};

/// PostgreSQL cuts longer names off without an error, so that two columns may
/// turn out to be one.
const POSTGRES_LIMIT: usize = 63;

/// What the databases do to long names.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    postgres: bool,
}

impl Limits {
    pub(super) fn of(databases: &[(Database, Span)]) -> Self {
        Self { postgres: databases.iter().any(|(database, _)| *database == Database::Postgres) }
    }

    fn check(self, what: &str, name: &str, place: &impl ToTokens, errors: &mut Errors) {
        if name.is_empty() {
            errors.at(place, format_args!("the {what}'s name is empty"));
        } else if name.contains('\0') {
            errors.at(place, format_args!("the {what}'s name contains a NUL"));
        } else if self.postgres && name.len() > POSTGRES_LIMIT {
            let bytes = name.len();
            errors.at(
                place,
                format_args!("the {what}'s name has {bytes} bytes; PostgreSQL cuts names off after {POSTGRES_LIMIT}"),
            );
        }
    }
}

/// The schema, if one is named, and the table.
pub(super) fn table(
    ident: &Ident,
    given: Option<&LitStr>,
    limits: Limits,
    errors: &mut Errors,
) -> Vec<String> {
    let Some(given) = given else {
        let table = snake_case(&ident.unraw().to_string());
        limits.check("table", &table, ident, errors);
        return vec![table];
    };
    let parts: Vec<_> = given.value().split('.').map(str::to_owned).collect();
    match parts.as_slice() {
        [table] => limits.check("table", table, given, errors),
        [schema, table] => {
            limits.check("schema", schema, given, errors);
            limits.check("table", table, given, errors);
        }
        _ => errors.at(given, "expected a table, or a schema and a table: `users` or `app.users`"),
    }
    parts
}

pub(super) fn cache_name(given: &LitStr, errors: &mut Errors) -> String {
    // It lies in the cache, where no database cuts it off.
    Limits { postgres: false }.check("cache entry", &given.value(), given, errors);
    given.value()
}

pub(super) fn column(
    field: &Declared<'_>,
    case: Option<Case>,
    limits: Limits,
    errors: &mut Errors,
) -> String {
    if let Some(given) = &field.attributes.column {
        limits.check("column", &given.value(), given, errors);
        return given.value();
    }
    let name = case.map_or_else(|| field.name(), |case| case.apply(&field.name()));
    limits.check("column", &name, field.ident, errors);
    name
}

/// A field's constant in `UserColumns`.
pub(super) fn constant(field: &Declared<'_>, errors: &mut Errors) -> Option<Ident> {
    let name = field.name().to_uppercase();
    // A few letters have no capital that may begin a name.
    let Ok(mut constant) = syn::parse_str::<Ident>(&name) else {
        errors.at(field.ident, format_args!("`{name}` cannot name a constant; rename the field"));
        return None;
    };
    constant.set_span(field.ident.span());
    Some(constant)
}
