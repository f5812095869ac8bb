//! The struct as the expansion sees it: every rule checked, every name known.

mod fingerprint;
mod indexes;
mod names;
mod rules;
mod serde;

use crate::{
    attributes::{Accepted, ContainerAttributes, FieldAttributes, NegativeTtl, SerdeAttributes},
    database::{Database, Features},
    errors::Errors,
};
pub(crate) use indexes::{Index, IndexedColumn};
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident};
use std::time::Duration;
use syn::{Data, DeriveInput, Fields, Path, Type, Visibility, ext::IdentExt as _};

pub(crate) struct Model {
    pub(crate) ident: Ident,
    pub(crate) visibility: Visibility,
    /// Where the runtime is, if not at `::cached_orm`.
    pub(crate) runtime: Option<Path>,
    /// At least one, each with the place to report its errors at.
    pub(crate) databases: Vec<(Database, Span)>,
    /// The schema, if there is one, and the table.
    pub(crate) table: Vec<String>,
    pub(crate) cache_name: Option<String>,
    pub(crate) policy: Policy,
    pub(crate) fingerprint: u64,
    /// In the order of the fields; one to eight are keys.
    pub(crate) columns: Vec<Column>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) indexes: Vec<Index>,
    /// Other structs on the table.
    pub(crate) also_fences: Vec<Path>,
    /// Each with the place where it is written.
    pub(crate) accepts: Vec<(Accepted, Span)>,
}

/// What differs from the runtime's default policy.
#[derive(Default)]
pub(crate) struct Policy {
    pub(crate) ttl: Option<Duration>,
    pub(crate) ttl_jitter: Option<f64>,
    pub(crate) negative_ttl: Option<NegativeTtl>,
    pub(crate) min_compress_len: Option<usize>,
    pub(crate) near_ttl: Option<Duration>,
    pub(crate) early_refresh: Option<Duration>,
    pub(crate) stale_if_error: Option<Duration>,
}

/// A field with a column.
pub(crate) struct Column {
    pub(crate) field: Ident,
    pub(crate) ty: TokenStream,
    pub(crate) name: String,
    /// Its constant in `UserColumns`.
    pub(crate) constant: Ident,
    pub(crate) json: bool,
    /// Whether the field is an `Uncached<…>` of `ty`.
    pub(crate) uncached: bool,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A part of the primary key that the program chooses.
    GivenKey,
    /// A part of the primary key that the database makes.
    GeneratedKey,
    Written,
    /// Counts the row's versions.
    Version,
    /// Generated or read-only: read, and never written.
    ReadBack,
}

/// A field without a column.
pub(crate) struct Skipped {
    pub(crate) field: Ident,
    pub(crate) ty: TokenStream,
}

/// A field as it was declared.
struct Declared<'a> {
    ident: &'a Ident,
    ty: &'a Type,
    attributes: FieldAttributes,
}

impl Declared<'_> {
    fn name(&self) -> String {
        self.ident.unraw().to_string()
    }
}

impl Model {
    /// Checks everything. With errors there may still be a model: expanding it
    /// spares the user a second wave of errors wherever the struct is used.
    pub(crate) fn check(
        input: &DeriveInput,
        features: Features,
        errors: &mut Errors,
    ) -> Option<Self> {
        let container = ContainerAttributes::parse(&input.attrs, errors);
        let serde_attributes = SerdeAttributes::parse(&input.attrs);
        serde::check_container(&serde_attributes, errors);
        let databases = rules::databases(&input.ident, container.databases, features, errors);
        let limits = names::Limits::of(&databases);
        let table = names::table(&input.ident, container.table.as_ref(), limits, errors);
        let cache_name = container.cache_name.map(|name| names::cache_name(&name, errors));

        let generic = rules::refuse_generics(&input.generics, errors);
        let declared = declared(input, errors)?;
        serde::check_names(&declared, &serde_attributes, errors);
        serde::check_defaults(&declared, &serde_attributes, errors);
        let mut columns = Vec::new();
        let mut skipped = Vec::new();
        let mut shapes = Vec::new();
        let mut has_uncached = false;
        for field in &declared {
            serde::check_field(field, errors);
            let ident = field.ident.clone();
            let ty = spell_out_self(field.ty.to_token_stream(), &input.ident);
            let json = rules::json(field, features, errors);
            let uncached = rules::uncached(field, errors);
            let ty =
                uncached.as_ref().map_or(ty, |value| spell_out_self(value.clone(), &input.ident));
            has_uncached |= uncached.is_some();
            let kind = rules::kind(field, errors);
            let name = kind.map(|_| names::column(field, container.rename_all, limits, errors));
            shapes.push(fingerprint::Shape { field, column: name.clone() });
            match (kind, name) {
                (Some(kind), Some(name)) => columns.push(Column {
                    field: ident,
                    ty,
                    name,
                    constant: names::constant(field, errors)?,
                    json,
                    uncached: uncached.is_some(),
                    kind,
                }),
                _ => skipped.push(Skipped { field: ident, ty }),
            }
        }
        if has_uncached {
            serde::check_container_of_uncached(&serde_attributes, errors);
        }
        let usable =
            rules::check_columns(&input.ident, &mut columns, &declared, &databases, errors);
        let indexes = indexes::check(&container.indexes, &declared, &columns, errors);
        let fingerprint = fingerprint::of(&shapes, &serde_attributes);
        let model = Self {
            ident: input.ident.clone(),
            visibility: input.vis.clone(),
            runtime: container.runtime,
            databases,
            table,
            cache_name,
            policy: Policy {
                ttl: container.ttl,
                ttl_jitter: container.ttl_jitter,
                negative_ttl: container.negative_ttl,
                min_compress_len: container.min_compress_len,
                near_ttl: container.near_ttl,
                early_refresh: rules::early_refresh(container.early_refresh, container.ttl, errors),
                stale_if_error: container.stale_if_error,
            },
            fingerprint,
            columns,
            skipped,
            indexes,
            also_fences: container.also_fences,
            accepts: container.accepts,
        };
        (usable && !generic && !model.databases.is_empty()).then_some(model)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.is_key())
    }

    /// The parts of the primary key that `INSERT` writes.
    pub(crate) fn given_keys(&self) -> impl Iterator<Item = &Column> {
        self.of_kind(Kind::GivenKey)
    }

    /// The columns that `INSERT` and `UPDATE` write, but for the version.
    pub(crate) fn written(&self) -> impl Iterator<Item = &Column> {
        self.of_kind(Kind::Written)
    }

    /// The columns that are read and never written, but for a generated key.
    pub(crate) fn read_back(&self) -> impl Iterator<Item = &Column> {
        self.of_kind(Kind::ReadBack)
    }

    /// The columns that never lie in the cache.
    pub(crate) fn uncached(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.uncached)
    }

    pub(crate) fn version(&self) -> Option<&Column> {
        self.of_kind(Kind::Version).next()
    }

    pub(crate) fn has_generated_key(&self) -> bool {
        self.of_kind(Kind::GeneratedKey).next().is_some()
    }

    /// This name, or one like it that neither the struct has nor a column's type: what
    /// the expansion calls so hides nothing of the user's.
    pub(crate) fn free(&self, name: &str) -> Ident {
        let mut name = Ident::new(name, Span::call_site());
        let is_taken = |name: &Ident| {
            self.ident == *name || self.columns.iter().any(|column| mentions(&column.ty, name))
        };
        while is_taken(&name) {
            name = format_ident!("{name}_");
        }
        name
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(move |column| column.kind == kind)
    }
}

impl Column {
    pub(crate) fn is_key(&self) -> bool {
        matches!(self.kind, Kind::GivenKey | Kind::GeneratedKey)
    }
}

fn declared<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Option<Vec<Declared<'a>>> {
    let what = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => {
                let declared = fields.named.iter().filter_map(|field| {
                    let attributes = FieldAttributes::parse(&field.attrs, errors);
                    Some(Declared { ident: field.ident.as_ref()?, ty: &field.ty, attributes })
                });
                return Some(declared.collect());
            }
            Fields::Unnamed(_) => "a tuple struct",
            Fields::Unit => "a unit struct",
        },
        Data::Enum(_) => "an enum",
        Data::Union(_) => "a union",
    };
    let ident = &input.ident;
    errors.at(
        ident,
        format_args!("`{ident}` is {what}; `MemcachedOrm` needs a struct with named fields, which become columns"),
    );
    None
}

fn mentions(tokens: &TokenStream, name: &Ident) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// A field's type with the struct's name for `Self`, which is another type in
/// the impl of `UserColumns`.
fn spell_out_self(ty: TokenStream, ident: &Ident) -> TokenStream {
    ty.into_iter()
        .map(|token| match token {
            TokenTree::Ident(own) if own == "Self" => {
                let mut spelt = ident.clone();
                spelt.set_span(own.span());
                TokenTree::Ident(spelt)
            }
            TokenTree::Group(group) => {
                let mut spelt =
                    Group::new(group.delimiter(), spell_out_self(group.stream(), ident));
                spelt.set_span(group.span());
                TokenTree::Group(spelt)
            }
            token => token,
        })
        .collect()
}
