use super::located_at;
use crate::model::{Kind, Model};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;

/// The struct itself, which users name.
pub(super) fn declaration(model: &Model) -> TokenStream {
    let (name, visibility) = (name(model), &model.visibility);
    let doc = format!(" The columns of [`{}`].", model.ident);
    // Whoever calls a struct so has been told once.
    let is_camel_case = model.ident.unraw().to_string().starts_with(char::is_uppercase);
    let as_the_struct = (!is_camel_case).then(|| quote!(, non_camel_case_types));
    quote! {
        #[doc = #doc]
        #[allow(dead_code #as_the_struct)]
        #visibility struct #name;
    }
}

/// Its constants, one for each column.
pub(super) fn expand(model: &Model) -> TokenStream {
    let (name, ident, visibility) = (name(model), &model.ident, &model.visibility);
    let single_key = model.keys().count() == 1;
    let (alias, value) = (model.free("_Column"), model.free("T"));
    let constants = model.columns.iter().map(|column| {
        let (constant, ty, name) = (&column.constant, &column.ty, &column.name);
        let ty = if column.json { quote!(_orm::Json<#ty>) } else { ty.clone() };
        let new = match column.kind {
            Kind::GivenKey | Kind::GeneratedKey if single_key => "primary_key",
            Kind::GivenKey | Kind::GeneratedKey => "key_part",
            Kind::Written => "new",
            Kind::Version => "version",
            Kind::ReadBack => "read_back",
        };
        let json = column.json.then(|| quote!(.json()));
        let is_indexed = model.indexes.iter().any(|index| index.is_over(&column.field));
        let column = if is_indexed {
            // The whole expression, since that is where rustc shows the error.
            let new = Ident::new(new, located_at(&ty));
            quote_spanned!(located_at(&ty)=> #alias::#new(#name).indexed())
        } else {
            let new = Ident::new(new, Span::call_site());
            quote!(#alias::#new(#name)#json)
        };
        quote!(#visibility const #constant: #alias<#ty> = #column;)
    });
    quote! {
        type #alias<#value> = _orm::Column<#ident, #value>;
        impl #name {
            #(#constants)*
        }
    }
}

fn name(model: &Model) -> Ident {
    format_ident!("{}Columns", model.ident.unraw(), span = model.ident.span())
}
