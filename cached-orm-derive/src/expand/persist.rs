use super::{entity, located_at};
use crate::{
    database::Database,
    model::{Column, Model},
    sql::Sql,
};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};

pub(super) fn expand(model: &Model, database: Database, span: Span) -> TokenStream {
    let ident = &model.ident;
    let db = Ident::new(database.name(), Span::call_site().located_at(span));
    let statements = statements(&Sql::new(database, model));
    let from_row = from_row(model, &db);
    let check_columns = check_columns(model, &db);
    let bind_columns = bind_columns(model, &db);
    let bind_version = bind_version(model, &db);
    let bind_read_back = bind_read_back(model, &db);
    let bind_given_key = bind_given_key(model, &db);
    let (key, _) = entity::key(model);
    let persist = quote_spanned!(located_at(&key)=> _orm::Persist<_orm::#db>);
    quote! {
        #[automatically_derived]
        impl #persist for #ident {
            #statements
            #from_row
            #check_columns
            #bind_columns
            #bind_read_back
            #bind_version
            #bind_given_key
        }
    }
}

fn statements(sql: &Sql<'_>) -> TokenStream {
    let select = raw(&sql.select());
    let select_by_key = raw(&sql.select_by_key());
    let lock_by_key = sql.lock_by_key().map(|statement| {
        let statement = raw(&statement);
        quote!(const LOCK_BY_KEY: &'static str = #statement;)
    });
    let insert = raw(&sql.insert());
    let select_inserted = sql.select_inserted().map(|statement| {
        let statement = raw(&statement);
        quote! {
            const SELECT_INSERTED: _orm::Option<&'static str> = _orm::Some(#statement);
        }
    });
    let delete = raw(&sql.delete());
    quote! {
        const SELECT: &'static str = #select;
        const SELECT_BY_KEY: &'static str = #select_by_key;
        #lock_by_key
        const INSERT: &'static str = #insert;
        #select_inserted
        const DELETE: &'static str = #delete;
    }
}

fn from_row(model: &Model, db: &Ident) -> TokenStream {
    let columns = model.columns.iter().map(|column| {
        let Column { field, ty, name, .. } = column;
        let get = match column {
            Column { json: true, .. } => quote!(get_json),
            Column { uncached: true, .. } => quote!(get_uncached),
            _ => quote!(get),
        };
        quote_spanned!(located_at(ty)=> #field: row.#get::<#ty>(#name)?)
    });
    let skipped = model.skipped.iter().map(|skipped| {
        let (field, ty) = (&skipped.field, &skipped.ty);
        quote_spanned!(located_at(ty)=> #field: _orm::skipped::<#ty>())
    });
    let fields = columns.chain(skipped);
    quote! {
        fn from_row(row: &_orm::Row<'_, _orm::#db>) -> _orm::Result<Self> {
            _orm::Ok(Self { #(#fields,)* })
        }
    }
}

fn check_columns(model: &Model, db: &Ident) -> TokenStream {
    let columns = model.columns.iter().map(|column| {
        let Column { ty, name, .. } = column;
        let check = match column {
            Column { json: true, .. } => quote!(json_column),
            Column { uncached: true, .. } => quote!(uncached_column),
            _ => quote!(column),
        };
        quote_spanned!(located_at(ty)=> columns.#check::<#ty>(#name);)
    });
    quote! {
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::#db>) {
            #(#columns)*
        }
    }
}

fn bind_columns(model: &Model, db: &Ident) -> TokenStream {
    let columns: Vec<_> = model.written().map(add).collect();
    let bindings = parameter(&columns);
    quote! {
        fn bind_columns(&self, #bindings: &mut _orm::Bindings<_orm::#db>) {
            #(#columns)*
        }
    }
}

fn bind_read_back(model: &Model, db: &Ident) -> Option<TokenStream> {
    let columns: Vec<_> = model.read_back().map(add).collect();
    (!columns.is_empty()).then(|| {
        quote! {
            fn bind_read_back(&self, bindings: &mut _orm::Bindings<_orm::#db>) {
                #(#columns)*
            }
        }
    })
}

fn bind_version(model: &Model, db: &Ident) -> Option<TokenStream> {
    model.version().map(|Column { field, ty, name, .. }| {
        let version =
            quote_spanned!(located_at(ty)=> bindings.version::<#ty>(#name, &self.#field););
        quote! {
            fn bind_version(&self, bindings: &mut _orm::Bindings<_orm::#db>) {
                #version
            }
        }
    })
}

/// The trait binds the whole key, so only a key that is generated needs this.
fn bind_given_key(model: &Model, db: &Ident) -> Option<TokenStream> {
    model.has_generated_key().then(|| {
        let parts: Vec<_> = model.given_keys().map(add).collect();
        let bindings = parameter(&parts);
        quote! {
            fn bind_given_key(&self, #bindings: &mut _orm::Bindings<_orm::#db>) {
                #(#parts)*
            }
        }
    })
}

fn parameter(used_by: &[TokenStream]) -> TokenStream {
    if used_by.is_empty() { quote!(_) } else { quote!(bindings) }
}

fn add(column: &Column) -> TokenStream {
    let Column { field, ty, name, .. } = column;
    let add = match column {
        Column { json: true, .. } => quote!(json_column),
        Column { uncached: true, .. } => quote!(uncached_column),
        _ => quote!(column),
    };
    quote_spanned!(located_at(ty)=> bindings.#add::<#ty>(#name, &self.#field);)
}

/// A raw string where that spares backslashes.
fn raw(sql: &str) -> Literal {
    if !sql.contains(['"', '\\']) {
        return Literal::string(sql);
    }
    let guard = "#".repeat(1 + sql.matches('#').count());
    // A carriage return cannot stand in a raw string.
    format!("r{guard}\"{sql}\"{guard}").parse().unwrap_or_else(|_| Literal::string(sql))
}
