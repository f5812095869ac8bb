//! The derive's expansion where the usual names are missing, or mean something
//! else. That this file compiles without a warning is most of the test.
#![no_implicit_prelude]
#![deny(missing_docs, unreachable_pub, unused_qualifications, warnings)]
// Names that nobody would choose are what is tried.
#![allow(clippy::just_underscores_and_digits)]

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

/// Any name that a struct may have, it may have here: each in a module of its own,
/// with columns of every kind, for one database and for several.
mod hostile_structs {
    macro_rules! hostile {
        ($($module:ident $name:ident)*) => {$(
            #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
            mod $module {
                #[derive(
                    ::std::clone::Clone,
                    ::serde::Serialize,
                    ::serde::Deserialize,
                    ::cached_orm::MemcachedOrm
                )]
                #[orm(table = "hostile", near_ttl = "1s", early_refresh = "1s")]
                #[orm(stale_if_error = "1h", unique(text, number))]
                pub(super) struct $name {
                    #[primary_key]
                    #[orm(generated)]
                    pub(super) id: i64,
                    #[orm(unique)]
                    text: ::std::string::String,
                    #[orm(index)]
                    number: ::std::option::Option<i32>,
                    #[orm(version)]
                    version: i64,
                    #[orm(uncached)]
                    secret: ::cached_orm::Uncached<::std::string::String>,
                    #[orm(json)]
                    others: ::std::vec::Vec<$name>,
                    #[orm(skip)]
                    #[serde(skip)]
                    others_too: ::std::vec::Vec<Self>,
                }

                pub(super) mod of_one_database {
                    #[derive(::serde::Serialize, ::serde::Deserialize, ::cached_orm::MemcachedOrm)]
                    #[orm(table = "hostile", database = Postgres)]
                    pub(in super::super) struct $name {
                        #[primary_key]
                        pub(in super::super) id: i64,
                        #[orm(unique)]
                        text: ::std::string::String,
                    }
                }
            }
        )*

            /// What each is called.
            pub(super) fn names() -> ::std::vec::Vec<&'static str> {
                ::std::vec![$(
                    <$module::$name as ::cached_orm::Entity>::NAME,
                    <$module::of_one_database::$name as ::cached_orm::Entity>::NAME,
                )*]
            }
        };
    }

    hostile! {
        a T  b S  c DB  d K  e V  f E  g F  h R  i Key  j Value
        k Self_  l Vec  m Box  n Json  o Orm  p _orm  q _orm_  r _Column  s Table  t CachePolicy
        u Index  v IndexColumn  w IndexValue  x IndexKey  y Into  z IntoIterator
        a2 Future  b2 Send  c2 Clone  d2 Sized  e2 Iterator  f2 From  g2 Transaction  h2 Pool
        i2 MySql  j2 Sqlite  k2 SqliteSession  l2 Backend  m2 Error  n2 Err  o2 Drop  p2 Fn
        q2 Option  r2 Result  s2 Ok  t2 Some  u2 None  v2 String  w2 Row  x2 Column  y2 Bindings
        z2 Entity  a3 Persist  b3 MemcachedOrm  c3 Serialize  d3 Deserialize  e3 Uncached
        f3 row  g3 db  h3 key  i3 bindings  j3 value  k3 values  l3 session  m3 other
        n3 r#type  o3 r#match  p3 r#async  q3 Größe  r3 größe  s3 名前  t3 bool  u3 char  v3 __
        w3 TColumns  x3 Columns  y3 __private  z3 cached_orm  a4 std  b4 core  c4 serde
    }
}

/// Any name that a field may have, it may have here.
mod hostile_fields {
    macro_rules! hostile {
        ($($module:ident: $($field:ident)*;)*) => {$(
            #[allow(non_snake_case, non_camel_case_types)]
            mod $module {
                #[derive(
                    ::std::clone::Clone,
                    ::serde::Serialize,
                    ::serde::Deserialize,
                    ::cached_orm::MemcachedOrm
                )]
                #[orm(near_ttl = "1s")]
                pub(super) struct Fields {
                    #[primary_key]
                    id: i64,
                    $(#[orm(unique)] $field: ::std::string::String,)*
                }

                #[derive(::serde::Serialize, ::serde::Deserialize, ::cached_orm::MemcachedOrm)]
                #[orm(database = Sqlite)]
                pub(super) struct Keys {
                    $(#[primary_key] $field: i64,)*
                    #[orm(index)]
                    last: ::std::option::Option<i64>,
                }
            }
        )*

            /// The columns, of all of them.
            pub(super) fn columns() -> ::std::vec::Vec<&'static str> {
                ::std::vec![$(
                    <$module::Fields as ::cached_orm::Persist<::cached_orm::Sqlite>>::SELECT,
                    <$module::Keys as ::cached_orm::Persist<::cached_orm::Sqlite>>::SELECT,
                )*]
            }
        };
    }

    hostile! {
        methods: fetch update refresh delete insert get_instance_key key new;
        variables: db db_ db__ row bindings value values session;
        more_variables: other orm _orm column index part name query;
        keywords: r#type r#match r#async r#fn r#struct r#dyn r#impl r#mod;
        types: T S Self_ Option Result String Vec Row;
        values: Some None Ok Err Column Default Bindings Session;
        letters: größe 名前 ß_ é _a __ a1 _1;
        primitives: i64 u64 bool str usize char f64 u8;
    }
}

/// Types of fields with the names that the expansion gives to generics.
mod hostile_types {
    type S = i64;
    type T = ::std::string::String;
    type _Column = i32;
    #[expect(non_camel_case_types)]
    type _orm = i64;

    #[derive(::serde::Serialize, ::serde::Deserialize, ::cached_orm::MemcachedOrm)]
    pub(super) struct Types {
        #[primary_key]
        s: S,
        #[orm(unique)]
        t: T,
        #[orm(index)]
        column: _Column,
        orm: _orm,
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
    use super::{hostile_fields, hostile_structs, hostile_types};
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
        assert!(<shadowing::Row as Persist<Sqlite>>::DELETE.starts_with("DELETE FROM `row`"));
    }

    #[test]
    fn hostile_names_are_as_good_as_others() {
        let names = hostile_structs::names();
        assert!(names.len() > 100 && names.contains(&"_orm"));
        assert!(hostile_fields::columns().iter().any(|sql| sql.contains("`名前`")));
        let _: ::cached_orm::Column<hostile_types::Types, i64> = hostile_types::TypesColumns::ORM;
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

    /// Its columns are of it, and of the fields' types.
    #[test]
    fn columns_of_a_struct_called_as_a_generic_are_of_use() {
        #[derive(::serde::Serialize, ::serde::Deserialize, ::cached_orm::MemcachedOrm)]
        #[orm(database = Postgres)]
        struct T {
            #[primary_key]
            id: i64,
            name: String,
        }
        async fn named(orm: &::cached_orm::Orm<Postgres>) -> ::cached_orm::Result<T> {
            T::patch(1).set(TColumns::NAME, "x").execute(orm).await
        }
        let _: ::cached_orm::Column<T, i64> = TColumns::ID;
        let _ = named;
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
