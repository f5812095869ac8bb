use proc_macro2::TokenStream;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Token, punctuated::Punctuated};

/// `#[serde(…)]`, of which serde's own derive reports the mistakes.
#[derive(Default)]
pub(crate) struct SerdeAttributes {
    options: Vec<Meta>,
    tokens: Vec<TokenStream>,
}

impl SerdeAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> Self {
        let mut this = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            let Meta::List(list) = &attribute.meta else { continue };
            this.tokens.push(list.tokens.clone());
            let options =
                attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            this.options.extend(options.into_iter().flatten());
        }
        this
    }

    /// The option called `name`, if it is there.
    pub(crate) fn get(&self, name: &str) -> Option<&Meta> {
        self.options.iter().find(|option| option.path().is_ident(name))
    }

    /// What the options called `name` say of names: `rename = "…"`, or
    /// `rename(serialize = "…", deserialize = "…")`.
    pub(crate) fn names(&self, name: &str) -> Names<'_> {
        let mut names = Names::default();
        for option in self.options.iter().filter(|option| option.path().is_ident(name)) {
            names.option.get_or_insert(option);
            if let Some(both) = text(option) {
                names.written.get_or_insert(both.clone());
                names.read.push(both);
            }
            let Meta::List(list) = option else { continue };
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            for part in parts.into_iter().flatten() {
                match text(&part) {
                    Some(written) if part.path().is_ident("serialize") => {
                        names.written.get_or_insert(written);
                    }
                    Some(read) if part.path().is_ident("deserialize") => names.read.push(read),
                    _ => {}
                }
            }
        }
        names
    }

    /// What was written in the parentheses, attribute by attribute.
    pub(crate) fn tokens(&self) -> &[TokenStream] {
        &self.tokens
    }
}

/// What serde is told to write a name as, and to read it as.
#[derive(Default)]
pub(crate) struct Names<'a> {
    pub(crate) written: Option<String>,
    pub(crate) read: Vec<String>,
    /// The first option that says so.
    pub(crate) option: Option<&'a Meta>,
}

/// `name = "text"`
fn text(option: &Meta) -> Option<String> {
    let Meta::NameValue(option) = option else { return None };
    match &option.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}
