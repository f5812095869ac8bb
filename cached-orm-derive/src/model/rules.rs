//! What options mean together, and which of them exclude each other.

use super::{Column, Declared, Kind};
use crate::{
    database::{Database, Features},
    errors::Errors,
};
use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens as _;
use std::time::Duration;
use syn::{Error, GenericArgument, Generics, PathArguments, Type};

/// The runtime implements its traits for tuples of up to eight parts.
const MOST_KEYS: usize = 8;

/// The databases to write statements for.
pub(super) fn databases(
    ident: &Ident,
    named: Option<Vec<(Database, Ident)>>,
    features: Features,
    errors: &mut Errors,
) -> Vec<(Database, Span)> {
    if let Some(mut named) = named {
        named.retain(|(database, name)| {
            let enabled = features.has(*database);
            if !enabled {
                let feature = database.feature();
                errors.at(
                    name,
                    format_args!(
                        "`{name}` is not enabled; enable the feature `{feature}` of `cached-orm`"
                    ),
                );
            }
            enabled
        });
        return named.iter().map(|(database, name)| (*database, name.span())).collect();
    }
    let enabled: Vec<_> =
        Database::ALL.into_iter().filter(|database| features.has(*database)).collect();
    if enabled.is_empty() {
        errors.at(
            ident,
            "no database is enabled; enable a feature of `cached-orm`: `postgres`, `mysql` or `sqlite`",
        );
    }
    enabled.into_iter().map(|database| (database, ident.span())).collect()
}

/// Whether there are any, which is a mistake.
pub(super) fn refuse_generics(generics: &Generics, errors: &mut Errors) -> bool {
    if !generics.params.is_empty() {
        errors.at(
            &generics.params,
            "a row is one concrete type; remove the generic parameters, and own what is borrowed",
        );
    } else if let Some(clause) = &generics.where_clause {
        errors.at(clause, "a row is one concrete type; remove the `where` clause");
    }
    !generics.params.is_empty() || generics.where_clause.is_some()
}

/// Whether the field is stored as JSON.
pub(super) fn json(field: &Declared<'_>, features: Features, errors: &mut Errors) -> bool {
    let Some(span) = field.attributes.json else { return false };
    if !features.json {
        errors.push(Error::new(
            span,
            "`json` is not enabled; enable the feature `json` of `cached-orm`",
        ));
    }
    features.json && !field.attributes.primary_key
}

/// The runtime's TTL where none is given.
const DEFAULT_TTL: Duration = Duration::from_secs(3600);

/// How long before their end rows are loaded anew.
pub(super) fn early_refresh(
    given: Option<(Duration, Span)>,
    ttl: Option<Duration>,
    errors: &mut Errors,
) -> Option<Duration> {
    let (time, span) = given?;
    if time >= ttl.unwrap_or(DEFAULT_TTL) {
        errors.push(Error::new(
            span,
            "every read would load the row; write an `early_refresh` shorter than the `ttl`",
        ));
    }
    Some(time)
}

/// The type of the column's values, if the cache must not hold them.
pub(super) fn uncached(field: &Declared<'_>, errors: &mut Errors) -> Option<TokenStream> {
    let attributes = &field.attributes;
    let value = value_of_uncached(field.ty);
    let Some(span) = attributes.uncached else {
        if value.is_some() {
            errors.at(
                field.ty,
                "an `Uncached<…>` is for a column that the cache does not hold; write `#[orm(uncached)]` at the field",
            );
        }
        // Expanded as if it were there, so that the type is not reported too.
        let has_column = attributes.skip.or(attributes.json).is_none();
        return value.filter(|_| has_column && !attributes.primary_key);
    };
    let mut refuse = |message: &str| errors.push(Error::new(span, message));
    if attributes.primary_key {
        refuse("the primary key is part of every cache entry; leave `uncached` out");
    } else if attributes.skip.is_some() {
        refuse("a skipped field has no column; leave `uncached` or `skip` out");
    } else if attributes.version.is_some() {
        refuse("an update needs the version that was read; leave `uncached` or `version` out");
    } else if attributes.json.is_some() {
        refuse(
            "`uncached` does not go with `json`; write `Uncached<Json<…>>` with sqlx's `Json`, and leave `json` out",
        );
    } else if let Some(value) = value {
        return Some(value);
    } else {
        let ty = field.ty.to_token_stream().to_string().replace(' ', "");
        errors.at(
            field.ty,
            format_args!("an `uncached` column may be missing from a row; write `Uncached<{ty}>`"),
        );
    }
    None
}

/// The `T` of `Uncached<T>`, by whatever path it is named.
fn value_of_uncached(ty: &Type) -> Option<TokenStream> {
    let ty = match ty {
        // What a `macro_rules!` macro took as a `ty` fragment.
        Type::Group(group) => return value_of_uncached(&group.elem),
        Type::Path(path) => path.path.segments.last()?,
        _ => return None,
    };
    let PathArguments::AngleBracketed(arguments) = &ty.arguments else { return None };
    match (arguments.args.first(), arguments.args.len()) {
        (Some(GenericArgument::Type(value)), 1) if ty.ident == "Uncached" => {
            Some(value.to_token_stream())
        }
        _ => None,
    }
}

/// How the field's column is used; `None` if it has no column.
pub(super) fn kind(field: &Declared<'_>, errors: &mut Errors) -> Option<Kind> {
    let attributes = &field.attributes;
    let mut refuse = |span: Option<Span>, message: &str| {
        if let Some(span) = span {
            errors.push(Error::new(span, message));
        }
    };
    if attributes.primary_key {
        refuse(attributes.skip, "a primary key needs a column; leave `skip` out");
        refuse(
            attributes.json,
            "JSON cannot be a primary key: equal values may be stored differently; leave `json` out",
        );
        refuse(
            attributes.readonly,
            "a primary key is never updated; leave `readonly` out, or write `generated`",
        );
        refuse(
            attributes.version,
            "a primary key is never updated, and a version always; leave `version` out",
        );
        let generated = attributes.generated.is_some();
        return Some(if generated { Kind::GeneratedKey } else { Kind::GivenKey });
    }
    if attributes.skip.is_some() {
        let column = attributes.column.as_ref().map(syn::LitStr::span);
        refuse(column, "a skipped field has no column; leave `column` or `skip` out");
        refuse(
            attributes.generated,
            "a skipped field has no column; leave `generated` or `skip` out",
        );
        refuse(
            attributes.readonly,
            "a skipped field has no column; leave `readonly` or `skip` out",
        );
        refuse(attributes.version, "a skipped field has no column; leave `version` or `skip` out");
        refuse(attributes.json, "a skipped field has no column; leave `json` or `skip` out");
        refuse(attributes.unique, "a skipped field has no column; leave `unique` or `skip` out");
        refuse(attributes.index, "a skipped field has no column; leave `index` or `skip` out");
        return None;
    }
    if attributes.version.is_some() {
        refuse(
            attributes.generated,
            "`update` counts the version, and not the database; leave `generated` or `version` out",
        );
        refuse(
            attributes.readonly,
            "`update` counts the version; leave `readonly` or `version` out",
        );
        refuse(attributes.json, "a version is an integer column; leave `json` or `version` out");
        return Some(Kind::Version);
    }
    if attributes.generated.is_some() {
        refuse(attributes.readonly, "a generated column is never written; leave `readonly` out");
    }
    let read_back = attributes.generated.or(attributes.readonly).is_some();
    Some(if read_back { Kind::ReadBack } else { Kind::Written })
}

/// Checks the columns together. Whether there is any use in expanding them.
pub(super) fn check_columns(
    ident: &Ident,
    columns: &mut [Column],
    declared: &[Declared<'_>],
    databases: &[(Database, Span)],
    errors: &mut Errors,
) -> bool {
    check_same_columns(columns, declared, databases, errors);
    let distinct = check_constants(ident, columns, errors);
    check_versions(columns, declared, errors);
    if databases.iter().any(|(database, _)| *database == Database::MySql) {
        check_last_insert_id(columns, declared, errors);
    }

    let mut keys = columns.iter().filter(|column| column.is_key());
    if keys.clone().next().is_none() {
        errors.at(
            ident,
            format_args!(
                "`{ident}` has no primary key; write `#[primary_key]` at the field that is its key"
            ),
        );
        return distinct && guess_key(columns);
    }
    if let Some(key) = keys.nth(MOST_KEYS) {
        errors.at(&key.field, format_args!("a primary key has at most {MOST_KEYS} columns"));
        return false;
    }
    distinct
}

/// Expands as if `id` were the key, if there is one.
fn guess_key(columns: &mut [Column]) -> bool {
    let id = columns.iter_mut().find(|column| column.field == "id");
    id.is_some_and(|id| {
        id.kind = Kind::GivenKey;
        true
    })
}

fn check_same_columns(
    columns: &[Column],
    declared: &[Declared<'_>],
    databases: &[(Database, Span)],
    errors: &mut Errors,
) {
    let ignores_case = databases.iter().any(|(database, _)| database.ignores_case());
    let same = |a: &str, b: &str| a == b || (ignores_case && a.eq_ignore_ascii_case(b));
    for (i, column) in columns.iter().enumerate() {
        if let Some(first) = columns[..i].iter().find(|first| same(&first.name, &column.name)) {
            let message = format!("`{}` is also the column of `{}`", column.name, first.field);
            let attributes = declared.iter().find(|field| *field.ident == column.field);
            match attributes.and_then(|field| field.attributes.column.as_ref()) {
                Some(name) => errors.at(name, message),
                None => errors.at(&column.field, message),
            }
        }
    }
}

fn check_constants(ident: &Ident, columns: &[Column], errors: &mut Errors) -> bool {
    let mut distinct = true;
    for (i, column) in columns.iter().enumerate() {
        let (field, constant) = (&column.field, &column.constant);
        if let Some(first) = columns[..i].iter().find(|first| first.constant == *constant) {
            distinct = false;
            errors.at(
                field,
                format_args!(
                    "`{field}` and `{}` would both be `{ident}Columns::{constant}`; rename one, and name its column in `#[orm(column = \"…\")]`",
                    first.field
                ),
            );
        }
    }
    distinct
}

fn check_versions(columns: &[Column], declared: &[Declared<'_>], errors: &mut Errors) {
    let mut versions = columns.iter().filter(|column| column.kind == Kind::Version);
    let Some(first) = versions.next() else { return };
    for second in versions {
        let field = declared.iter().find(|field| *field.ident == second.field);
        if let Some(span) = field.and_then(|field| field.attributes.version) {
            let message =
                format!("a row has one version, and `{}` is it; leave `version` out", first.field);
            errors.push(Error::new(span, message));
        }
    }
}

/// MySQL tells one generated number of an `INSERT`, and no more.
fn check_last_insert_id(columns: &[Column], declared: &[Declared<'_>], errors: &mut Errors) {
    let generated = columns.iter().filter(|column| column.kind == Kind::GeneratedKey);
    for second in generated.skip(1) {
        let field = declared.iter().find(|field| *field.ident == second.field);
        if let Some(span) = field.and_then(|field| field.attributes.generated) {
            errors.push(Error::new(
                span,
                "MySQL generates one column of a primary key; leave `generated` out",
            ));
        }
    }
}
