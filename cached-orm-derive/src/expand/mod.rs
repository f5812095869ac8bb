//! The model as Rust code: `quote!`, and nothing else.

mod alias;
mod columns;
mod entity;
mod indexes;
mod inherent;
mod persist;

use crate::model::Model;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned as _;

pub(crate) fn expand(model: &Model) -> TokenStream {
    let runtime = match &model.runtime {
        Some(path) => path.to_token_stream(),
        None => quote!(::cached_orm),
    };
    let columns_struct = columns::declaration(model);
    let entity = entity::expand(model);
    let persist =
        model.databases.iter().map(|(database, span)| persist::expand(model, *database, *span));
    let inherent = inherent::expand(model);
    let columns = columns::expand(model);
    // Every name is reached through `_orm`: nothing is taken for granted in the
    // user's scope, nothing is added to it, and the lines stay short.
    let body = quote! {
        #entity
        #(#persist)*
        #inherent
        #columns
    };
    let names = model.indexes.iter().map(|index| index.method.to_string());
    let is_snake_case = names.into_iter().all(|name| name == name.to_lowercase());
    let as_the_fields = (!is_snake_case).then(|| quote!(, non_snake_case));
    let (alias, body) = alias::free(model, body);
    quote! {
        #columns_struct
        #[allow(dead_code, deprecated, missing_docs #as_the_fields)]
        const _: () = {
            use #runtime::__private as #alias;
            #body
        };
    }
}

/// Shows errors at `tokens`. Names resolve as elsewhere in the expansion, which
/// they would not with the span of tokens from a `macro_rules!` macro.
fn located_at(tokens: &impl ToTokens) -> Span {
    Span::call_site().located_at(tokens.span())
}
