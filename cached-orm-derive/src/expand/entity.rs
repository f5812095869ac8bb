use super::{indexes, located_at};
use crate::{
    attributes::NegativeTtl,
    model::{Model, Policy},
};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use std::time::Duration;
use syn::ext::IdentExt as _;

pub(super) fn expand(model: &Model) -> TokenStream {
    let ident = &model.ident;
    let name = ident.unraw().to_string();
    let table = model.table.join(".");
    let key_columns = model.keys().map(|key| &key.name);
    let cache_name =
        model.cache_name.as_ref().map(|name| quote!(const CACHE_NAME: &'static str = #name;));
    let version = model.version().map(|version| {
        let name = &version.name;
        quote!(const VERSION: _orm::Option<&'static str> = _orm::Some(#name);)
    });
    let fingerprint = hexadecimal(model.fingerprint);
    let policy = policy(&model.policy);
    let indexes = indexes::constant(model);
    let also_fences = also_fences(model);
    let accepts = accepts(model);
    let (key_type, key) = key(model);
    let take_skipped = take_skipped(model);
    let near_copy = near_copy(model);
    let uncached_fields = uncached_fields(model);
    let given_key = (!model.has_generated_key()).then(|| {
        quote! {
            #[automatically_derived]
            impl _orm::GivenKey for #ident {}
        }
    });
    // With `Self::Key` as what `key` returns, rustc would report a struct that
    // serde cannot write once more.
    quote! {
        #[automatically_derived]
        impl _orm::Entity for #ident {
            type Key = #key_type;
            const NAME: &'static str = #name;
            const TABLE: _orm::Table = _orm::Table::new(#table, &[#(#key_columns),*]);
            #cache_name
            #version
            const FINGERPRINT: u64 = #fingerprint;
            #policy
            #indexes
            #also_fences
            #accepts
            fn key(&self) -> #key_type {
                #key
            }
            #take_skipped
            #near_copy
            #uncached_fields
        }
        #given_key
    }
}

/// The primary key's type, and its value: alone, or as a tuple.
pub(super) fn key(model: &Model) -> (TokenStream, TokenStream) {
    let types: Vec<_> = model.keys().map(|key| &key.ty).collect();
    let fields = model.keys().map(|key| &key.field);
    let values: Vec<_> = fields.map(|field| quote!(_orm::Clone::clone(&self.#field))).collect();
    match (types.as_slice(), values.as_slice()) {
        ([ty], [value]) => (quote!(#ty), quote!(#value)),
        _ => (quote!((#(#types),*)), quote!((#(#values),*))),
    }
}

fn policy(policy: &Policy) -> Option<TokenStream> {
    let ttl = policy.ttl.map(|ttl| {
        let ttl = duration(ttl);
        quote!(.ttl(#ttl))
    });
    let ttl_jitter = policy.ttl_jitter.map(|part| {
        let part = Literal::f64_unsuffixed(part);
        quote!(.ttl_jitter(#part))
    });
    let negative_ttl = policy.negative_ttl.map(|ttl| match ttl {
        NegativeTtl::Off => quote!(.negative_ttl(_orm::None)),
        NegativeTtl::For(ttl) => {
            let ttl = duration(ttl);
            quote!(.negative_ttl(_orm::Some(#ttl)))
        }
    });
    let min_compress_len = policy.min_compress_len.map(|bytes| {
        let bytes = Literal::usize_unsuffixed(bytes);
        quote!(.min_compress_len(_orm::Some(#bytes)))
    });
    let near_ttl = policy.near_ttl.map(|ttl| {
        let ttl = duration(ttl);
        quote!(.near_ttl(_orm::Some(#ttl)))
    });
    let early_refresh = policy.early_refresh.map(|time| {
        let time = duration(time);
        quote!(.early_refresh(_orm::Some(#time)))
    });
    let stale_if_error = policy.stale_if_error.map(|time| {
        let time = duration(time);
        quote!(.stale_if_error(_orm::Some(#time)))
    });
    let options =
        [ttl, ttl_jitter, negative_ttl, min_compress_len, near_ttl, early_refresh, stale_if_error];
    options.iter().any(Option::is_some).then(|| {
        let options = options.iter().flatten();
        quote!(const POLICY: _orm::CachePolicy = _orm::CachePolicy::DEFAULT #(#options)*;)
    })
}

fn also_fences(model: &Model) -> Option<TokenStream> {
    let names = model
        .also_fences
        .iter()
        .map(|other| quote_spanned!(located_at(other)=> _orm::also_fenced::<Self, #other>()));
    (!model.also_fences.is_empty())
        .then(|| quote!(const ALSO_FENCES: &'static [&'static str] = &[#(#names),*];))
}

fn accepts(model: &Model) -> Option<TokenStream> {
    let variants = model.accepts.iter().map(|(accepted, span)| {
        let variant = Ident::new(accepted.variant(), Span::call_site().located_at(*span));
        quote!(_orm::Accepted::#variant)
    });
    (!model.accepts.is_empty())
        .then(|| quote!(const ACCEPTS: &'static [_orm::Accepted] = &[#(#variants),*];))
}

fn take_skipped(model: &Model) -> Option<TokenStream> {
    let fields: Vec<_> = model.skipped.iter().map(|skipped| &skipped.field).collect();
    (!fields.is_empty()).then(|| {
        quote! {
            fn take_skipped(&mut self, other: &mut Self) {
                #(_orm::swap(&mut self.#fields, &mut other.#fields);)*
            }
        }
    })
}

fn near_copy(model: &Model) -> Option<TokenStream> {
    let ident = &model.ident;
    model.policy.near_ttl.map(|_| {
        // A struct that cannot be copied is reported at its name.
        let copy = quote_spanned!(located_at(ident)=> _orm::near_copy(self));
        quote! {
            fn near_copy(&self) -> _orm::Option<Self> {
                #copy
            }
        }
    })
}

fn uncached_fields(model: &Model) -> Option<TokenStream> {
    let fields: Vec<_> = model.uncached().map(|column| &column.field).collect();
    (!fields.is_empty()).then(|| {
        quote! {
            fn uncached_fields(&mut self) -> _orm::Vec<&mut dyn _orm::UncachedField> {
                _orm::vec![#(&mut self.#fields),*]
            }
        }
    })
}

fn duration(duration: Duration) -> TokenStream {
    let seconds = Literal::u64_unsuffixed(duration.as_secs());
    quote!(_orm::Duration::from_secs(#seconds))
}

/// `0x0123_4567_89ab_cdef`
fn hexadecimal(number: u64) -> Literal {
    let [a, b, c, d] = [48, 32, 16, 0].map(|shift| number >> shift & 0xffff);
    let text = format!("0x{a:04x}_{b:04x}_{c:04x}_{d:04x}");
    text.parse().unwrap_or_else(|_| Literal::u64_unsuffixed(number))
}
