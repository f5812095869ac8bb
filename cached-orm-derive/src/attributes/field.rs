use super::{PRIMARY_KEY, SerdeAttributes, container, item::items, unknown};
use crate::errors::Errors;
use proc_macro2::Span;
use syn::{Attribute, LitStr, Meta};

pub(super) const OPTIONS: [&str; 9] =
    ["column", "generated", "readonly", "version", "unique", "index", "skip", "json", "uncached"];

/// `#[primary_key]`, `#[orm(…)]` and `#[serde(…)]` on a field. Each option
/// that is there is known by where it stands.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) primary_key: bool,
    pub(crate) column: Option<LitStr>,
    pub(crate) generated: Option<Span>,
    pub(crate) readonly: Option<Span>,
    pub(crate) version: Option<Span>,
    pub(crate) unique: Option<Span>,
    pub(crate) index: Option<Span>,
    pub(crate) skip: Option<Span>,
    pub(crate) json: Option<Span>,
    pub(crate) uncached: Option<Span>,
    pub(crate) serde: SerdeAttributes,
}

impl FieldAttributes {
    pub(crate) fn parse(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut this = Self { serde: SerdeAttributes::parse(attributes), ..Self::default() };
        for item in items(attributes, errors) {
            match item.name.to_string().as_str() {
                "column" => this.column = errors.take(item.string(r#"column = "email""#)),
                "generated" => this.generated = errors.take(item.flag()),
                "readonly" => this.readonly = errors.take(item.flag()),
                "version" => this.version = errors.take(item.flag()),
                "unique" => this.unique = errors.take(item.flag()),
                "index" => this.index = errors.take(item.flag()),
                "skip" => this.skip = errors.take(item.flag()),
                "json" => this.json = errors.take(item.flag()),
                "uncached" => this.uncached = errors.take(item.flag()),
                _ => errors.push(unknown(&item, &OPTIONS, &container::OPTIONS, "the struct")),
            }
        }
        for attribute in
            attributes.iter().filter(|attribute| attribute.path().is_ident(PRIMARY_KEY))
        {
            if this.primary_key {
                errors.at(&attribute.meta, "`#[primary_key]` is given twice");
            }
            this.primary_key = true;
            if !matches!(attribute.meta, Meta::Path(_)) {
                errors.at(
                    &attribute.meta,
                    "`#[primary_key]` takes no arguments; write options in `#[orm(…)]`",
                );
            }
        }
        this
    }
}
