//! What the runtime is called in an expansion, if a type of the user's is called so.

use crate::model::Model;
use proc_macro2::{Group, Ident, Spacing, TokenStream, TokenTree};

const USUAL: &str = "_orm";

/// A name that no type of the user's has, and the expansion by that name.
pub(super) fn free(model: &Model, body: TokenStream) -> (Ident, TokenStream) {
    let alias = model.free(USUAL);
    let body = if alias == USUAL { body } else { by(&alias, body) };
    (alias, body)
}

fn by(alias: &Ident, body: TokenStream) -> TokenStream {
    let mut tokens = body.into_iter().peekable();
    let mut renamed = TokenStream::new();
    while let Some(token) = tokens.next() {
        let is_path = tokens.peek().is_some_and(begins_path);
        renamed.extend([match token {
            TokenTree::Ident(own) if own == USUAL && is_path => {
                let mut named = alias.clone();
                named.set_span(own.span());
                TokenTree::Ident(named)
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), by(alias, group.stream()));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            token => token,
        }]);
    }
    renamed
}

/// Whether `::` follows; a field is followed by one colon.
fn begins_path(next: &TokenTree) -> bool {
    matches!(next, TokenTree::Punct(next) if next.as_char() == ':' && next.spacing() == Spacing::Joint)
}
