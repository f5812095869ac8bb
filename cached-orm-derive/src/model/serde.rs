//! The cache holds what serde writes, as an array of the fields. An attribute
//! that loses a field, or moves the ones behind it, would lose data.

use super::Declared;
use crate::{attributes::SerdeAttributes, errors::Errors};

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

/// A field without a column may be left out, but who reads must know.
fn check_skipped(field: &Declared<'_>, errors: &mut Errors) {
    let serde = &field.attributes.serde;
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
