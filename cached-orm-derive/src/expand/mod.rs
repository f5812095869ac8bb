//! The model as Rust code: `quote!`, and nothing else.

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
    quote! {
        #columns_struct
        #[allow(dead_code, deprecated, missing_docs)]
        const _: () = {
            use #runtime::__private as _orm;
            #entity
            #(#persist)*
            #inherent
            #columns
        };
    }
}

/// Shows errors at `tokens`. Names resolve as elsewhere in the expansion, which
/// they would not with the span of tokens from a `macro_rules!` macro.
fn located_at(tokens: &impl ToTokens) -> Span {
    Span::call_site().located_at(tokens.span())
}
