//! The derive's expansion where the usual names are missing, or mean something
//! else. That this file compiles without a warning is most of the test.
#![no_implicit_prelude]
#![deny(missing_docs, unreachable_pub, unused_qualifications, warnings)]

/// The runtime under another name, as behind a facade crate.
mod facade {
    pub(crate) use ::cached_orm as orm;
}

/// Structs with the names of what the expansion uses, where the prelude's are
/// gone.
mod shadowing {
    use ::serde::{Deserialize, Serialize};
    use ::std::{clone::Clone, option::Option as Maybe, string::String as Text};

    macro_rules! shadow {
        ($($name:ident)*) => {$(
            #[derive(Clone, Serialize, Deserialize, ::cached_orm::MemcachedOrm)]
            pub(crate) struct $name {
                #[primary_key]
                id: i64,
                text: Maybe<Text>,
            }
        )*};
    }

    shadow!(Option Result String Ok Some None Column Entity Persist Row Session Postgres Duration);
    shadow!(Default Bindings);
}

/// Fields with the names of the expansion's variables and of keywords.
mod fields {
    use ::serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, ::cached_orm::MemcachedOrm)]
    #[orm(crate = "super::facade::orm", rename_all = "SCREAMING_SNAKE_CASE")]
    pub(super) struct Fields {
        #[primary_key]
        key: i64,
        row: i64,
        orm: i64,
        db: i64,
        other: i64,
        bindings: i64,
        session: i64,
        self_: i64,
        _orm: i64,
        r#type: i64,
        r#async: i64,
        table: i64,
        #[orm(skip)]
        fetch: i64,
    }
}

/// A public struct of a crate that wants everything documented.
#[derive(::serde::Serialize, ::serde::Deserialize, ::cached_orm::MemcachedOrm)]
#[orm(database = Postgres, ttl = "1d", negative_ttl = "off")]
pub struct Documented {
    /// The tenant.
    #[primary_key]
    pub tenant: i64,
    /// The number.
    #[primary_key]
    #[orm(generated)]
    pub number: i64,
    /// A list of others.
    #[orm(json)]
    pub others: ::std::vec::Vec<Self>,
}

/// A struct whose every token comes from a macro: some from its definition,
/// some from its call.
mod generated {
    macro_rules! entity {
        ($name:ident, $option:meta, $table:literal, $ty:ty, { $($field:ident: $field_ty:ty),* }) => {
            #[derive(::serde::Serialize, ::serde::Deserialize, ::cached_orm::MemcachedOrm)]
            #[orm($option, table = $table)]
            pub(super) struct $name {
                #[primary_key]
                id: $ty,
                created: i64,
                $($field: $field_ty,)*
            }
        };
    }

    entity!(
        Made, database = (Postgres, Sqlite), "app.made", ::std::string::String,
        { name: ::std::option::Option<::std::vec::Vec<u8>>, size: i32 }
    );
}

/// What the rest of this file does, in the usual surroundings.
mod checks {
    use super::{Documented, DocumentedColumns, fields, generated, shadowing};
    use ::cached_orm::{Entity, MemcachedOrm, Persist, Postgres, Sqlite};
    use ::std::{assert, assert_eq, future::Future, prelude::v1::*};

    #[test]
    fn names_are_found() {
        assert_eq!(<fields::Fields as Entity>::TABLE.name(), "fields");
        assert_eq!(fields::FieldsColumns::TYPE.name(), "TYPE");
        assert_eq!(fields::FieldsColumns::_ORM.name(), "_ORM");
        assert_eq!(generated::Made::TABLE.name(), "app.made");
        assert_eq!(generated::MadeColumns::SIZE.name(), "size");
        assert_eq!(shadowing::Option::NAME, "Option");
        assert!(<shadowing::Row as Persist<Sqlite>>::DELETE.starts_with(r#"DELETE FROM "row""#));
    }

    #[test]
    fn keys_print() {
        let row = Documented { tenant: 1, number: 2, others: Vec::new() };
        assert_eq!(row.get_instance_key(), "(1)(2)");
        assert_eq!(DocumentedColumns::OTHERS.name(), "others");
    }

    #[test]
    fn a_struct_in_a_function_is_an_entity() {
        #[derive(::serde::Serialize, ::serde::Deserialize, ::cached_orm::MemcachedOrm)]
        struct Local {
            #[primary_key]
            id: i32,
        }
        assert_eq!(Local { id: 7 }.get_instance_key(), "(7)");
        assert_eq!(LocalColumns::ID.name(), "id");
    }

    /// Futures can be spawned, and take every session.
    #[test]
    fn futures_are_send() {
        fn is_send(_: impl Future + Send) {}
        let _ = |orm: &::cached_orm::Orm<Postgres>, mut row: Documented| {
            is_send(Documented::fetch(orm, (1, 2)));
            is_send(row.update(orm));
            is_send(MemcachedOrm::insert(&row, orm));
        };
        let _ = |transaction: &mut ::cached_orm::Transaction<Sqlite>, mut row: generated::Made| {
            is_send(generated::Made::fetch(&mut *transaction, "key".into()));
            is_send(row.refresh(&mut *transaction));
            is_send(row.delete(transaction));
        };
    }
}
