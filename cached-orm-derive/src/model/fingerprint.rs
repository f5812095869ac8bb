use super::Declared;
use crate::attributes::SerdeAttributes;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens as _;
use xxhash_rust::xxh3::xxh3_64;

/// A field and its column, if it has one.
pub(super) struct Shape<'a> {
    pub(super) field: &'a Declared<'a>,
    pub(super) column: Option<String>,
}

/// Changes whenever a cached row may look different: with the columns, their
/// types, or what serde is told.
pub(super) fn of(shapes: &[Shape<'_>], serde: &SerdeAttributes) -> u64 {
    let mut text = String::new();
    for Shape { field, column } in shapes {
        push(&mut text, column.as_deref().unwrap_or("(skipped)"));
        push(&mut text, &normalized(field.ty.to_token_stream()));
        let attributes = &field.attributes;
        push(
            &mut text,
            match (attributes.json, attributes.uncached) {
                (Some(_), _) => "json",
                (None, Some(_)) => "uncached",
                (None, None) => "",
            },
        );
        push_all(&mut text, &attributes.serde);
    }
    push_all(&mut text, serde);
    xxh3_64(text.as_bytes())
}

fn push_all(text: &mut String, serde: &SerdeAttributes) {
    let tokens: Vec<_> = serde.tokens().iter().cloned().map(normalized).collect();
    push(text, &tokens.join(","));
}

/// The length keeps neighbours apart.
fn push(text: &mut String, part: &str) {
    text.push_str(&format!("{}:{part}", part.len()));
}

/// Tokens as text that depends neither on the compiler's spacing nor on the
/// invisible groups that `macro_rules!` leaves.
fn normalized(tokens: TokenStream) -> String {
    let mut text = String::new();
    write(tokens, &mut text);
    text
}

fn write(tokens: TokenStream, text: &mut String) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("( ", ") "),
                    Delimiter::Bracket => ("[ ", "] "),
                    Delimiter::Brace => ("{ ", "} "),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write(group.stream(), text);
                text.push_str(close);
            }
            token => {
                text.push_str(&token.to_string());
                text.push(' ');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::normalized;
    use proc_macro2::{Delimiter, Group, TokenStream};
    use quote::quote;

    #[test]
    fn spacing_and_invisible_groups_do_not_matter() {
        let spaced: TokenStream = "Option < Vec <u8> >".parse().unwrap();
        let inner = Group::new(Delimiter::None, quote!(Vec<u8>));
        assert_eq!(normalized(quote!(Option<Vec<u8>>)), normalized(spaced));
        assert_eq!(normalized(quote!(Option<Vec<u8>>)), normalized(quote!(Option<#inner>)));
        assert_eq!(normalized(quote!([u8; 4])), "[ u8 ; 4 ] ");
        assert_ne!(normalized(quote!(i64)), normalized(quote!(i32)));
    }
}
