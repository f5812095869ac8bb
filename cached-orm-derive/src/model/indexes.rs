//! Secondary indexes: which columns they have, and how their methods are called.

use super::{Column, Declared, Kind};
use crate::{attributes::ListedIndex, errors::Errors, names};
use proc_macro2::{Ident, Span};
use quote::{ToTokens as _, format_ident};
use syn::{Error, GenericArgument, PathArguments, Type, ext::IdentExt as _};

/// The runtime takes tuples of up to eight parts.
const MOST_COLUMNS: usize = 8;

/// Methods of the trait that an index's own method would hide.
const TAKEN: [&str; 1] = ["fetch_by_field"];

pub(crate) struct Index {
    pub(crate) is_unique: bool,
    pub(crate) columns: Vec<IndexedColumn>,
    /// `fetch_by_tenant_and_handle`
    pub(crate) method: Ident,
}

pub(crate) struct IndexedColumn {
    pub(crate) field: Ident,
    /// The column's name.
    pub(crate) name: String,
    /// The field's type, and what it is without an `Option` around it.
    pub(crate) ty: Type,
    pub(crate) value: Type,
    /// Whether the database makes its values.
    pub(crate) is_read_back: bool,
}

impl Index {
    /// Whether it is over this field alone.
    pub(crate) fn is_over(&self, field: &Ident) -> bool {
        matches!(self.columns.as_slice(), [only] if only.field == *field)
    }
}

/// The indexes of the fields in their order, and then those of the struct.
pub(super) fn check(
    listed: &[ListedIndex],
    declared: &[Declared<'_>],
    columns: &[Column],
    errors: &mut Errors,
) -> Vec<Index> {
    let mut indexes = Vec::new();
    for field in declared {
        let attributes = &field.attributes;
        let (is_unique, span) = match (attributes.unique, attributes.index) {
            (Some(_), Some(span)) => {
                errors.push(Error::new(
                    span,
                    "a unique index is an index; leave `index` out, or `unique` if several rows may have the value",
                ));
                continue;
            }
            (Some(span), None) => (true, span),
            (None, Some(span)) => (false, span),
            (None, None) => continue,
        };
        // What a skipped field is told is told elsewhere.
        if attributes.skip.is_some() {
            continue;
        }
        let place = Ident::new(if is_unique { "unique" } else { "index" }, span);
        add(
            &mut indexes,
            &place,
            std::slice::from_ref(field.ident),
            true,
            declared,
            columns,
            errors,
        );
    }
    for ListedIndex { name, fields } in listed {
        add(&mut indexes, name, fields, false, declared, columns, errors);
    }
    indexes
}

fn add(
    indexes: &mut Vec<Index>,
    place: &Ident,
    fields: &[Ident],
    is_at_field: bool,
    declared: &[Declared<'_>],
    columns: &[Column],
    errors: &mut Errors,
) {
    let is_unique = place == "unique";
    let before = errors.count();
    let mut indexed: Vec<IndexedColumn> = Vec::new();
    for field in fields {
        if indexed.iter().any(|earlier| earlier.field == *field) {
            errors.at(field, format_args!("`{field}` is listed twice"));
        } else {
            indexed.extend(column(field, place, is_at_field, declared, columns, errors));
        }
    }
    if let Some(field) = fields.get(MOST_COLUMNS) {
        errors.at(field, format_args!("an index has at most {MOST_COLUMNS} columns"));
    }
    if indexed.is_empty() || errors.count() > before {
        return;
    }
    let keys: Vec<_> = columns.iter().filter(|column| column.is_key()).collect();
    if same_fields(&indexed, keys.iter().map(|key| &key.field)) {
        errors.at(
            place,
            format_args!("these are the primary key, which `fetch` reads by; leave `{place}` out"),
        );
        return;
    }
    let twice = |earlier: &&Index| {
        same_fields(&indexed, earlier.columns.iter().map(|column| &column.field))
    };
    if let Some(earlier) = indexes.iter().find(twice) {
        let method = &earlier.method;
        errors.at(
            place,
            format_args!(
                "there is an index over these columns already, with `{method}`; leave one out"
            ),
        );
        return;
    }
    let names: Vec<_> = indexed.iter().map(|column| column.field.unraw().to_string()).collect();
    let method = format_ident!("fetch_by_{}", names.join("_and_"), span = Span::call_site());
    let rename = "rename a field, and name its column in `#[orm(column = \"…\")]`";
    if TAKEN.iter().any(|taken| method == taken) {
        errors.at(
            place,
            format_args!(
                "the index's method would be `{method}`, which every struct has already; {rename}"
            ),
        );
        return;
    }
    if indexes.iter().any(|earlier| earlier.method == method) {
        errors.at(place, format_args!("two indexes would have the method `{method}`; {rename}"));
        return;
    }
    indexes.push(Index { is_unique, columns: indexed, method });
}

/// The column of a field that an index names.
fn column(
    field: &Ident,
    place: &Ident,
    is_at_field: bool,
    declared: &[Declared<'_>],
    columns: &[Column],
    errors: &mut Errors,
) -> Option<IndexedColumn> {
    let Some(found) = declared.iter().find(|declared| *declared.ident == *field) else {
        let known: Vec<_> = columns.iter().map(|column| column.field.to_string()).collect();
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        let suggestion = match columns.iter().find(|column| field == column.name.as_str()) {
            Some(Column { field, .. }) => format!("name the field of this column, `{field}`"),
            None => names::suggestion(&field.to_string(), &known),
        };
        errors.at(field, format_args!("there is no field `{field}`; {suggestion}"));
        return None;
    };
    let at = if is_at_field { place } else { field };
    if found.attributes.skip.is_some() {
        errors.at(at, format_args!("`{field}` is skipped and has no column to index"));
        return None;
    }
    if found.attributes.json.is_some() {
        errors.at(at, format_args!("`{field}` is JSON, whose equal values may be stored differently; it cannot be indexed"));
        return None;
    }
    if found.attributes.uncached.is_some() {
        errors.at(
            at,
            format_args!("`{field}` is `uncached`, and an index would put it into cache keys; leave `{place}` or `uncached` out"),
        );
        return None;
    }
    let column = columns.iter().find(|column| column.field == *field)?;
    let ty: Type = syn::parse2(column.ty.to_token_stream()).ok()?;
    let value = without_option(&ty).clone();
    let is_read_back = column.kind == Kind::ReadBack;
    Some(IndexedColumn { field: field.clone(), name: column.name.clone(), ty, value, is_read_back })
}

fn same_fields<'f>(
    columns: &[IndexedColumn],
    fields: impl ExactSizeIterator<Item = &'f Ident>,
) -> bool {
    fields.len() == columns.len()
        && fields.into_iter().all(|field| columns.iter().any(|column| column.field == *field))
}

/// The `T` of an `Option<T>`. NULL equals nothing, so nobody asks for it.
fn without_option(ty: &Type) -> &Type {
    let path = match ty {
        // What a `macro_rules!` macro took as a `ty` fragment.
        Type::Group(group) => return without_option(&group.elem),
        Type::Paren(paren) => return without_option(&paren.elem),
        Type::Path(path) if path.qself.is_none() => &path.path,
        _ => return ty,
    };
    match path.segments.last() {
        Some(last) if last.ident == "Option" => match &last.arguments {
            PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
                Some(GenericArgument::Type(value)) if arguments.args.len() == 1 => value,
                _ => ty,
            },
            _ => ty,
        },
        _ => ty,
    }
}
