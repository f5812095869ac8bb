/// The columns of [`PostTag`].
#[allow(dead_code)]
struct PostTagColumns;
#[allow(dead_code, deprecated, missing_docs)]
const _: () = {
    use ::cached_orm::__private as _orm;
    #[automatically_derived]
    impl _orm::Entity for PostTag {
        type Key = (i64, String);
        const NAME: &'static str = "PostTag";
        const TABLE: _orm::Table = _orm::Table::new("post_tags", &["post", "tag"]);
        const FINGERPRINT: u64 = 0x64dd_bf49_2f66_1775;
        fn key(&self) -> (i64, String) {
            (_orm::Clone::clone(&self.post), _orm::Clone::clone(&self.tag))
        }
    }
    #[automatically_derived]
    impl _orm::Persist<_orm::Postgres> for PostTag {
        const SELECT: &'static str = r#"SELECT "post", "tag" FROM "post_tags""#;
        const SELECT_BY_KEY: &'static str = r#"SELECT "post", "tag" FROM "post_tags" WHERE "post" = $1 AND "tag" = $2"#;
        const LOCK_BY_KEY: &'static str = r#"SELECT "post", "tag" FROM "post_tags" WHERE "post" = $1 AND "tag" = $2 FOR NO KEY UPDATE"#;
        const INSERT: &'static str = r#"INSERT INTO "post_tags" ("tag") VALUES ($1) RETURNING "post", "tag", txid_current() AS "cached_orm_transaction""#;
        const DELETE: &'static str = r#"DELETE FROM "post_tags" WHERE "post" = $1 AND "tag" = $2 RETURNING "post", "tag", txid_current() AS "cached_orm_transaction""#;
        fn from_row(row: &_orm::Row<'_, _orm::Postgres>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                post: row.get::<i64>("post")?,
                tag: row.get::<String>("tag")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::Postgres>) {
            columns.column::<i64>("post");
            columns.column::<String>("tag");
        }
        fn bind_columns(&self, _: &mut _orm::Bindings<_orm::Postgres>) {}
        fn bind_given_key(&self, bindings: &mut _orm::Bindings<_orm::Postgres>) {
            bindings.column::<String>("tag", &self.tag);
        }
    }
    #[automatically_derived]
    impl _orm::Persist<_orm::MySql> for PostTag {
        const SELECT: &'static str = "SELECT `post`, `tag` FROM `post_tags`";
        const SELECT_BY_KEY: &'static str = "SELECT `post`, `tag` FROM `post_tags` WHERE `post` = ? AND `tag` = ?";
        const LOCK_BY_KEY: &'static str = "SELECT `post`, `tag` FROM `post_tags` WHERE `post` = ? AND `tag` = ? FOR UPDATE";
        const INSERT: &'static str = "INSERT INTO `post_tags` (`tag`) VALUES (?)";
        const SELECT_INSERTED: _orm::Option<&'static str> = _orm::Some(
            "SELECT `post`, `tag` FROM `post_tags` WHERE `post` = LAST_INSERT_ID() AND `tag` = ? FOR UPDATE",
        );
        const DELETE: &'static str = "DELETE FROM `post_tags` WHERE `post` = ? AND `tag` = ?";
        fn from_row(row: &_orm::Row<'_, _orm::MySql>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                post: row.get::<i64>("post")?,
                tag: row.get::<String>("tag")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::MySql>) {
            columns.column::<i64>("post");
            columns.column::<String>("tag");
        }
        fn bind_columns(&self, _: &mut _orm::Bindings<_orm::MySql>) {}
        fn bind_given_key(&self, bindings: &mut _orm::Bindings<_orm::MySql>) {
            bindings.column::<String>("tag", &self.tag);
        }
    }
    impl PostTag {
        /// Reads the row with this primary key: from the cache, or else from the database.
        async fn fetch<S: _orm::Session>(
            db: S,
            key: (i64, String),
        ) -> _orm::Result<_orm::Option<Self>>
        where
            Self: _orm::Persist<S::Database>,
        {
            <Self as _orm::MemcachedOrm>::fetch(db, key).await
        }
        /// Writes the row, and reads back what the database made of it.
        async fn update<S: _orm::Session>(&mut self, db: S) -> _orm::Result<()>
        where
            Self: _orm::Persist<S::Database>,
        {
            <Self as _orm::MemcachedOrm>::update(self, db).await
        }
        /// Reads the row again from the database, and caches it.
        async fn refresh<S: _orm::Session>(&mut self, db: S) -> _orm::Result<()>
        where
            Self: _orm::Persist<S::Database>,
        {
            <Self as _orm::MemcachedOrm>::refresh(self, db).await
        }
        /// Deletes the row; `false` if there is none.
        async fn delete<S: _orm::Session>(&self, db: S) -> _orm::Result<bool>
        where
            Self: _orm::Persist<S::Database>,
        {
            <Self as _orm::MemcachedOrm>::delete(self, db).await
        }
        /// The primary key as it stands in cache keys, such as `(7)`.
        fn get_instance_key(&self) -> _orm::String {
            <Self as _orm::MemcachedOrm>::get_instance_key(self)
        }
    }
    type _Column<T> = _orm::Column<PostTag, T>;
    impl PostTagColumns {
        const POST: _Column<i64> = _Column::key_part("post");
        const TAG: _Column<String> = _Column::key_part("tag");
    }
};
