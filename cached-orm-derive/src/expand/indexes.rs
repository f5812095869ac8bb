use super::{inherent::Session, located_at};
use crate::model::{Index, IndexedColumn, Model};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;

/// What the runtime knows of the indexes.
pub(super) fn constant(model: &Model) -> Option<TokenStream> {
    let indexes = model.indexes.iter().map(|index| {
        let new = if index.is_unique { quote!(unique) } else { quote!(list) };
        let columns = index.columns.iter().map(|column| {
            let IndexedColumn { name, ty, is_read_back, .. } = column;
            let read_back = is_read_back.then(|| quote!(.read_back()));
            quote_spanned!(located_at(ty)=> _orm::IndexColumn::of::<#ty>(#name)#read_back)
        });
        let parts = index.columns.iter().map(
            |IndexedColumn { field, ty, .. }| quote_spanned!(located_at(ty)=> .part(&row.#field)),
        );
        quote! {
            _orm::Index::#new(&[#(#columns),*], |row| _orm::IndexValue::new()#(#parts)*)
        }
    });
    (!model.indexes.is_empty())
        .then(|| quote!(const INDEXES: &'static [_orm::Index<Self>] = &[#(#indexes),*];))
}

/// A method for each index.
pub(super) fn methods(model: &Model, session: &Session) -> Vec<TokenStream> {
    model.indexes.iter().enumerate().map(|(n, index)| method(model, n, index, session)).collect()
}

fn method(model: &Model, n: usize, index: &Index, session: &Session) -> TokenStream {
    let visibility = &model.visibility;
    let Session { name: session, generics, argument: db, clause } = session;
    let fields: Vec<_> = index.columns.iter().map(|column| &column.field).collect();
    let types: Vec<_> = index.columns.iter().map(|column| &column.value).collect();
    let arguments: Vec<_> = fields.iter().map(|field| argument(field, &fields)).collect();
    let method = &index.method;
    let name = method.to_string();
    let n = Literal::usize_unsuffixed(n);
    let names: Vec<_> = fields.iter().map(|field| format!("`{}`", field.unraw())).collect();
    let names = names.join(" and ");
    let (found, read, doc) = if index.is_unique {
        let doc =
            format!(" Reads the row with this {names}: from the cache, or else from the database.");
        (quote!(_orm::Option<Self>), quote!(fetch_by_unique), doc)
    } else {
        let doc = format!(
            " Reads the rows with this {names}, in the order of their primary keys: from the cache, or else from the database."
        );
        (quote!(_orm::Vec<Self>), quote!(fetch_by_index), doc)
    };
    let value = match arguments.as_slice() {
        [value] => quote!(#value.into()),
        _ => quote!((#(#arguments.into()),*)),
    };
    let value_type = match types.as_slice() {
        [ty] => quote!(#ty),
        _ => quote!((#(#types),*)),
    };
    let span = match types.as_slice() {
        [ty] => located_at(ty),
        _ => Span::call_site(),
    };
    // Of one database the compiler sees for itself that it can store the value.
    let clause = (!clause.is_empty())
        .then(|| quote!(#clause #value_type: _orm::IndexKey<#session::Database>,));
    let many = index.is_unique.then(|| {
        let many = format_ident!("{}", name.replacen("fetch_by_", "fetch_many_by_", 1));
        let name = many.to_string();
        let doc = format!(
            " Reads the rows with these values of {names}, in the order asked: from the cache, or else from the database."
        );
        let read_many = quote_spanned!(span=> _orm::fetch_many_by_unique::<#value_type, _, _>(db, #name, &<Self as _orm::Entity>::INDEXES[#n], values));
        quote! {
            #[doc = #doc]
            #visibility fn #many #generics(db: #db, values: impl _orm::IntoIterator<Item = impl _orm::Into<#value_type>>) -> impl _orm::Future<Output = _orm::Result<_orm::Vec<_orm::Option<Self>>>> + _orm::Send #clause {
                #read_many
            }
        }
    });
    let read =
        quote_spanned!(span=> _orm::#read(db, #name, &<Self as _orm::Entity>::INDEXES[#n], value));
    quote! {
        #[doc = #doc]
        #visibility async fn #method #generics(db: #db, #(#arguments: impl _orm::Into<#types>),*) -> _orm::Result<#found> #clause {
            let value: #value_type = #value;
            #read.await
        }
        #many
    }
}

/// A field's name as that of an argument. The session's own is `db`; and what is no
/// usual name of a variable may be that of a constant, as `None` is.
fn argument(field: &Ident, fields: &[&Ident]) -> Ident {
    let name = field.unraw().to_string();
    let is_usual = field != "db" && name == name.to_lowercase();
    let mut argument =
        if is_usual { field.clone() } else { format_ident!("{}_", name.to_lowercase()) };
    while !is_usual && fields.contains(&&argument) {
        argument = format_ident!("{argument}_");
    }
    argument
}
