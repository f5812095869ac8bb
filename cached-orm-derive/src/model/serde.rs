//! The cache holds what serde writes. Where that is not read back the row is not
//! cached, which the runtime finds out; what can be seen here is refused.

use super::Declared;
use crate::{attributes::SerdeAttributes, errors::Errors, names::Case};
use syn::Meta;

pub(super) fn check_container(serde: &SerdeAttributes, errors: &mut Errors) {
    if let Some(option) = serde.get("into")
        && serde.get("from").or(serde.get("try_from")).is_none()
    {
        errors.at(
            option,
            "`into` without `from` would not read back what the cache holds; write both",
        );
    }
    if let Some(option) = serde.get("from").or(serde.get("try_from"))
        && serde.get("into").is_none()
    {
        errors.at(
            option,
            "`from` without `into` would not read back what the cache holds; write both",
        );
    }
    for name in ["untagged", "tag", "remote"] {
        if let Some(option) = serde.get(name) {
            errors.at(
                option,
                format_args!(
                    "the cache holds the struct's fields and nothing else; leave `{name}` out"
                ),
            );
        }
    }
}

/// What converts the whole struct could put into the cache what a field keeps
/// out of it.
pub(super) fn check_container_of_uncached(serde: &SerdeAttributes, errors: &mut Errors) {
    if let Some(option) = serde.get("into") {
        errors.at(
            option,
            "`into` could write the value of an `uncached` column into the cache; leave it out",
        );
    }
}

pub(super) fn check_field(field: &Declared<'_>, errors: &mut Errors) {
    let serde = &field.attributes.serde;
    if field.attributes.skip.is_some() {
        check_skipped(field, errors);
        return;
    }
    if field.attributes.uncached.is_some() {
        for option in ["with", "serialize_with", "deserialize_with", "getter"] {
            if let Some(tokens) = serde.get(option) {
                errors.at(
                    tokens,
                    format_args!(
                        "`{option}` could write an `uncached` column into the cache; leave it out"
                    ),
                );
            }
        }
    }
    let name = field.name();
    for option in ["skip", "skip_serializing", "skip_deserializing", "skip_serializing_if"] {
        if let Some(tokens) = serde.get(option) {
            errors.at(
                tokens,
                format_args!("`{option}` would lose `{name}` in the cache; leave it out, or give the field no column with `#[orm(skip)]`"),
            );
        }
    }
    if let Some(tokens) = serde.get("flatten") {
        errors.at(
            tokens,
            format_args!("`flatten` would spread `{name}` over the cached row; leave it out"),
        );
    }
    for (option, other) in
        [("serialize_with", "deserialize_with"), ("deserialize_with", "serialize_with")]
    {
        if let Some(tokens) = serde.get(option)
            && serde.get(other).is_none()
        {
            errors.at(
                tokens,
                format_args!("`{option}` without `{other}` would not read back what the cache holds; write both, or `with`"),
            );
        }
    }
}

/// Every field must be read under the name that it is written under.
pub(super) fn check_names(
    fields: &[Declared<'_>],
    container: &SerdeAttributes,
    errors: &mut Errors,
) {
    let all = container.names("rename_all");
    let spell = |case: Option<&String>, field: &str| {
        case.and_then(|case| Case::named(case)).map_or(field.to_owned(), |case| case.apply(field))
    };
    let mut is_told = false;
    for field in fields {
        let serde = &field.attributes.serde;
        if ["skip", "skip_serializing", "skip_deserializing"]
            .iter()
            .any(|skip| serde.get(skip).is_some())
        {
            continue;
        }
        let name = field.name();
        let own = serde.names("rename");
        let written = own.written.unwrap_or_else(|| spell(all.written.as_ref(), &name));
        let read = own.read.first().cloned().unwrap_or_else(|| spell(all.read.first(), &name));
        let aliases = serde.names("alias").read;
        let mut others = own.read.iter().chain(&aliases);
        if written == read || others.any(|other| *other == written) {
            continue;
        }
        if let Some(option) = own.option {
            errors.at(
                option,
                format_args!("`{name}` would be written to the cache as `{written}` and read as `{read}`, and so be lost; write one name for both, or add `alias = \"{written}\"`"),
            );
        } else if let Some(option) = all.option.filter(|_| !is_told) {
            is_told = true;
            errors.at(
                option,
                format_args!("`{name}` would be written to the cache as `{written}` and read as `{read}`, and so be lost; write one case for both, as in `rename_all = \"camelCase\"`, and a struct of its own for what clients see"),
            );
        }
    }
}

/// What serde gives to a field that is not in the cached row must be what a row of the
/// database has there.
pub(super) fn check_defaults(
    fields: &[Declared<'_>],
    container: &SerdeAttributes,
    errors: &mut Errors,
) {
    let mut skipped = fields.iter().filter(|field| field.attributes.skip.is_some());
    if let Some(option) = container.get("default")
        && let Some(field) = skipped.find(|field| field.attributes.serde.get("default").is_none())
    {
        errors.at(
            option,
            format_args!("`default` of the struct could give `{name}` another value out of the cache than `Default`, which it has when the row is read; write `#[serde(default)]` on `{name}` too", name = field.name()),
        );
    }
}

/// A field without a column may be left out, but who reads must know.
fn check_skipped(field: &Declared<'_>, errors: &mut Errors) {
    let serde = &field.attributes.serde;
    if let Some(tokens @ Meta::NameValue(_)) = serde.get("default") {
        errors.at(
            tokens,
            "this gives another value out of the cache than `Default`, which the field has when the row is read; write `default`",
        );
    }
    let skipped =
        serde.get("skip_serializing").filter(|_| serde.get("skip_deserializing").is_none());
    if let Some(tokens) = skipped {
        errors.at(
            tokens,
            "`skip_serializing` alone would make the cached row unreadable; write `skip`",
        );
    }
    if let Some(tokens) = serde.get("skip_serializing_if") {
        errors.at(
            tokens,
            "`skip_serializing_if` would make some cached rows unreadable; write `skip`",
        );
    }
}
