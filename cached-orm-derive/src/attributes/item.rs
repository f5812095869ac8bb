use crate::errors::Errors;
use proc_macro2::{Delimiter, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;
use std::{fmt::Display, mem};
use syn::{Attribute, Error, Lit, LitStr, Meta, Result, ext::IdentExt as _, parse::Parser as _};

/// The options whose values are in parentheses.
const LISTS: [&str; 4] = ["unique", "index", "also_fences", "accepts"];

/// One option of an attribute: `name`, `name = value` or `name(…)`.
pub(super) struct Item {
    pub(super) name: Ident,
    value: Value,
}

enum Value {
    None,
    Assigned(TokenStream),
    Listed(TokenStream),
}

/// The options of every `#[orm(…)]` among `attributes`, each once. A mistake
/// in one does not hide those in others.
pub(super) fn items(attributes: &[Attribute], errors: &mut Errors) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("orm")) {
        let Meta::List(list) = &attribute.meta else {
            errors.at(&attribute.meta, "expected options in parentheses: `#[orm(…)]`");
            continue;
        };
        for tokens in split(list.tokens.clone()) {
            let Some(item) = errors.take(Item::parse(tokens)) else { continue };
            if !item.is_list() && items.iter().any(|earlier| earlier.name == item.name) {
                errors.at(&item.name, format_args!("`{}` is given twice", item.name));
            } else {
                items.push(item);
            }
        }
    }
    items
}

/// What lies between the commas.
pub(super) fn split(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = Vec::new();
    let mut part = TokenStream::new();
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ',' => parts.push(mem::take(&mut part)),
            token => part.extend([token]),
        }
    }
    parts.push(part);
    parts.retain(|part| !part.is_empty());
    parts
}

impl Item {
    fn parse(tokens: TokenStream) -> Result<Self> {
        let mut rest = tokens.clone().into_iter();
        let name = match rest.next() {
            Some(TokenTree::Ident(name)) => name,
            // An option that a `macro_rules!` macro took as a `meta` fragment.
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::None => {
                return Self::parse(group.stream());
            }
            _ => return Err(Error::new_spanned(tokens, "expected the name of an option")),
        };
        let value = match rest.next() {
            None => Value::None,
            Some(TokenTree::Punct(punct)) if punct.as_char() == '=' => {
                Value::Assigned(rest.by_ref().collect())
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                Value::Listed(group.stream())
            }
            Some(other) => {
                let message = match &other {
                    TokenTree::Punct(punct)
                        if punct.as_char() == ':' && punct.spacing() == Spacing::Alone =>
                    {
                        format!("write `{name} = …`, and no colon")
                    }
                    TokenTree::Group(_) if LISTS.iter().any(|list| name == list) => {
                        format!("write `{name}(…)`, in parentheses")
                    }
                    _ => format!("expected `=` or `,` after `{name}`"),
                };
                return Err(Error::new_spanned(other, message));
            }
        };
        match rest.next() {
            Some(other) => Err(Error::new_spanned(other, "expected `,`")),
            None => Ok(Self { name, value }),
        }
    }

    /// An option without a value, and where it stands.
    pub(super) fn flag(&self) -> Result<Span> {
        match &self.value {
            Value::None => Ok(self.name.span()),
            Value::Assigned(value) | Value::Listed(value) => {
                Err(self.error_at(value, format_args!("`{}` takes no value", self.name)))
            }
        }
    }

    /// Whether it is `name(…)`, of which there may be several.
    fn is_list(&self) -> bool {
        matches!(self.value, Value::Listed(_))
    }

    /// What lies between the commas in the parentheses. `example` shows the whole
    /// option.
    pub(super) fn listed(&self, example: &str) -> Result<Vec<TokenStream>> {
        match &self.value {
            Value::Listed(list) if !list.is_empty() => Ok(split(list.clone())),
            _ => Err(Error::new(self.name.span(), format_args!("write `{example}`"))),
        }
    }

    /// The names in the parentheses. `example` shows the whole option.
    pub(super) fn names(&self, example: &str, errors: &mut Errors) -> Vec<Ident> {
        let Value::Listed(list) = &self.value else {
            errors.push(Error::new(self.name.span(), format_args!("write `{example}`")));
            return Vec::new();
        };
        let name = |tokens: TokenStream| {
            let wrong = Error::new_spanned(
                &tokens,
                format_args!("expected a field's name, as in `{example}`"),
            );
            errors.take(Ident::parse_any.parse2(tokens).map_err(|_| wrong))
        };
        let names: Vec<_> = split(list.clone()).into_iter().filter_map(name).collect();
        if list.is_empty() {
            errors.push(Error::new(self.name.span(), format_args!("name the fields: `{example}`")));
        }
        names
    }

    /// The tokens after `=`. `example` shows the whole option.
    pub(super) fn assigned(&self, example: &str) -> Result<&TokenStream> {
        match &self.value {
            Value::Assigned(value) if !value.is_empty() => Ok(value),
            Value::Listed(value) => Err(self.error_at(value, format_args!("write `{example}`"))),
            _ => Err(Error::new(
                self.name.span(),
                format_args!("`{}` needs a value: `{example}`", self.name),
            )),
        }
    }

    /// The literal after `=`, which should be of this `kind`.
    pub(super) fn literal(&self, kind: &str, example: &str) -> Result<Lit> {
        let value = self.assigned(example)?;
        syn::parse2(value.clone()).map_err(|_| wrong_value(value, kind, example))
    }

    pub(super) fn string(&self, example: &str) -> Result<LitStr> {
        match self.literal("a string", example)? {
            Lit::Str(string) if string.suffix().is_empty() => Ok(string),
            other => Err(wrong_value(other, "a string", example)),
        }
    }

    /// At `tokens`, or at the option's name if there are none to point at.
    fn error_at(&self, tokens: &TokenStream, message: impl Display) -> Error {
        if tokens.is_empty() {
            Error::new(self.name.span(), message)
        } else {
            Error::new_spanned(tokens, message)
        }
    }
}

pub(super) fn wrong_value(value: impl ToTokens, kind: &str, example: &str) -> Error {
    Error::new_spanned(value, format_args!("expected {kind}, as in `{example}`"))
}
