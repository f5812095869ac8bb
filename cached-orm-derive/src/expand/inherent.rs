use super::{entity, indexes};
use crate::model::Model;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// The methods that users call most, so that they need not import the trait.
pub(super) fn expand(model: &Model) -> TokenStream {
    let (ident, visibility) = (&model.ident, &model.visibility);
    let (key, _) = entity::key(model);
    let session = session(model);
    let bool = if model.ident == "bool" { quote!(_orm::bool) } else { quote!(bool) };
    let by_index = indexes::methods(model, &session);
    let Session { generics, argument, clause, .. } = &session;
    quote! {
        impl #ident {
            /// Reads the row with this primary key: from the cache, or else from the database.
            #visibility async fn fetch #generics(db: #argument, key: #key) -> _orm::Result<_orm::Option<Self>> #clause {
                <Self as _orm::MemcachedOrm>::fetch(db, key).await
            }
            #(#by_index)*
            /// Writes the row, and reads back what the database made of it.
            #visibility async fn update #generics(&mut self, db: #argument) -> _orm::Result<()> #clause {
                <Self as _orm::MemcachedOrm>::update(self, db).await
            }
            /// Reads the row again from the database, and caches it.
            #visibility async fn refresh #generics(&mut self, db: #argument) -> _orm::Result<()> #clause {
                <Self as _orm::MemcachedOrm>::refresh(self, db).await
            }
            /// Deletes the row; `false` if there is none.
            #visibility async fn delete #generics(&self, db: #argument) -> _orm::Result<#bool> #clause {
                <Self as _orm::MemcachedOrm>::delete(self, db).await
            }
            /// The primary key as it stands in cache keys, such as `(7)`.
            #visibility fn get_instance_key(&self) -> _orm::String {
                <Self as _orm::MemcachedOrm>::get_instance_key(self)
            }
        }
    }
}

/// How a method takes what it works on.
pub(super) struct Session {
    /// The type's name, if it is not one for all.
    pub(super) name: Ident,
    pub(super) generics: TokenStream,
    pub(super) argument: TokenStream,
    pub(super) clause: TokenStream,
}

fn session(model: &Model) -> Session {
    // It must not hide a type of the user's.
    let name = model.free("S");
    match model.databases.as_slice() {
        [(database, _)] => {
            let session = Ident::new(database.session(), Span::call_site());
            Session {
                name,
                generics: TokenStream::new(),
                argument: quote!(impl _orm::#session),
                clause: TokenStream::new(),
            }
        }
        _ => Session {
            generics: quote!(<#name: _orm::Session>),
            argument: quote!(#name),
            clause: quote!(where Self: _orm::Persist<#name::Database>,),
            name,
        },
    }
}
