/// The columns of [`User`].
#[allow(dead_code)]
pub struct UserColumns;
#[allow(dead_code, deprecated, missing_docs)]
const _: () = {
    use ::cached_orm::__private as _orm;
    #[automatically_derived]
    impl _orm::Entity for User {
        type Key = i64;
        const NAME: &'static str = "User";
        const TABLE: _orm::Table = _orm::Table::new("users", &["id"]);
        const FINGERPRINT: u64 = 0x493f_4459_97f3_65b9;
        fn key(&self) -> i64 {
            _orm::Clone::clone(&self.id)
        }
    }
    #[automatically_derived]
    impl _orm::Persist<_orm::Postgres> for User {
        const SELECT: &'static str = r#"SELECT "id", "name", "email", "age", "score", "active", "avatar", "visits", "level", "nickname" FROM "users""#;
        const SELECT_BY_KEY: &'static str = r#"SELECT "id", "name", "email", "age", "score", "active", "avatar", "visits", "level", "nickname" FROM "users" WHERE "id" = $1"#;
        const LOCK_BY_KEY: &'static str = r#"SELECT "id", "name", "email", "age", "score", "active", "avatar", "visits", "level", "nickname" FROM "users" WHERE "id" = $1 FOR NO KEY UPDATE"#;
        const INSERT: &'static str = r#"INSERT INTO "users" ("name", "email", "age", "score", "active", "avatar", "visits", "level", "nickname") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING "id", "name", "email", "age", "score", "active", "avatar", "visits", "level", "nickname", txid_current() AS "cached_orm_transaction""#;
        const DELETE: &'static str = r#"DELETE FROM "users" WHERE "id" = $1 RETURNING "id", "name", "email", "age", "score", "active", "avatar", "visits", "level", "nickname", txid_current() AS "cached_orm_transaction""#;
        fn from_row(row: &_orm::Row<'_, _orm::Postgres>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                id: row.get::<i64>("id")?,
                name: row.get::<String>("name")?,
                email: row.get::<Option<String>>("email")?,
                age: row.get::<i32>("age")?,
                score: row.get::<f64>("score")?,
                active: row.get::<bool>("active")?,
                avatar: row.get::<Vec<u8>>("avatar")?,
                visits: row.get::<i64>("visits")?,
                level: row.get::<i16>("level")?,
                nickname: row.get::<Option<String>>("nickname")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::Postgres>) {
            columns.column::<i64>("id");
            columns.column::<String>("name");
            columns.column::<Option<String>>("email");
            columns.column::<i32>("age");
            columns.column::<f64>("score");
            columns.column::<bool>("active");
            columns.column::<Vec<u8>>("avatar");
            columns.column::<i64>("visits");
            columns.column::<i16>("level");
            columns.column::<Option<String>>("nickname");
        }
        fn bind_columns(&self, bindings: &mut _orm::Bindings<_orm::Postgres>) {
            bindings.column::<String>("name", &self.name);
            bindings.column::<Option<String>>("email", &self.email);
            bindings.column::<i32>("age", &self.age);
            bindings.column::<f64>("score", &self.score);
            bindings.column::<bool>("active", &self.active);
            bindings.column::<Vec<u8>>("avatar", &self.avatar);
            bindings.column::<i64>("visits", &self.visits);
            bindings.column::<i16>("level", &self.level);
            bindings.column::<Option<String>>("nickname", &self.nickname);
        }
        fn bind_given_key(&self, _: &mut _orm::Bindings<_orm::Postgres>) {}
    }
    impl User {
        /// Reads the row with this primary key: from the cache, or else from the database.
        pub async fn fetch(
            db: impl _orm::PgSession,
            key: i64,
        ) -> _orm::Result<_orm::Option<Self>> {
            <Self as _orm::MemcachedOrm>::fetch(db, key).await
        }
        /// Writes the row, and reads back what the database made of it.
        pub async fn update(&mut self, db: impl _orm::PgSession) -> _orm::Result<()> {
            <Self as _orm::MemcachedOrm>::update(self, db).await
        }
        /// Reads the row again from the database, and caches it.
        pub async fn refresh(&mut self, db: impl _orm::PgSession) -> _orm::Result<()> {
            <Self as _orm::MemcachedOrm>::refresh(self, db).await
        }
        /// Deletes the row; `false` if there is none.
        pub async fn delete(&self, db: impl _orm::PgSession) -> _orm::Result<bool> {
            <Self as _orm::MemcachedOrm>::delete(self, db).await
        }
        /// The primary key as it stands in cache keys, such as `(7)`.
        pub fn get_instance_key(&self) -> _orm::String {
            <Self as _orm::MemcachedOrm>::get_instance_key(self)
        }
    }
    type _Column<T> = _orm::Column<User, T>;
    impl UserColumns {
        pub const ID: _Column<i64> = _Column::primary_key("id");
        pub const NAME: _Column<String> = _Column::new("name");
        pub const EMAIL: _Column<Option<String>> = _Column::new("email");
        pub const AGE: _Column<i32> = _Column::new("age");
        pub const SCORE: _Column<f64> = _Column::new("score");
        pub const ACTIVE: _Column<bool> = _Column::new("active");
        pub const AVATAR: _Column<Vec<u8>> = _Column::new("avatar");
        pub const VISITS: _Column<i64> = _Column::new("visits");
        pub const LEVEL: _Column<i16> = _Column::new("level");
        pub const NICKNAME: _Column<Option<String>> = _Column::new("nickname");
    }
};
