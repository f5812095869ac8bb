use proc_macro2::TokenStream;
use syn::{Attribute, Meta, Token, punctuated::Punctuated};

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

    /// What was written in the parentheses, attribute by attribute.
    pub(crate) fn tokens(&self) -> &[TokenStream] {
        &self.tokens
    }
}
