/// The columns of [`Note`].
#[allow(dead_code)]
struct NoteColumns;
#[allow(dead_code, deprecated, missing_docs)]
const _: () = {
    use crate::reexports::orm::__private as _orm;
    #[automatically_derived]
    impl _orm::Entity for Note {
        type Key = i64;
        const NAME: &'static str = "Note";
        const TABLE: _orm::Table = _orm::Table::new("note", &["id"]);
        const FINGERPRINT: u64 = 0x8b1e_63d3_29b7_261e;
        const POLICY: _orm::CachePolicy = _orm::CachePolicy::DEFAULT
            .negative_ttl(_orm::Some(_orm::Duration::from_secs(60)));
        fn key(&self) -> i64 {
            _orm::Clone::clone(&self.id)
        }
    }
    #[automatically_derived]
    impl _orm::GivenKey for Note {}
    #[automatically_derived]
    impl _orm::Persist<_orm::Sqlite> for Note {
        const SELECT: &'static str = "SELECT `id`, `text` FROM `note`";
        const SELECT_BY_KEY: &'static str = "SELECT `id`, `text` FROM `note` WHERE `id` = $1";
        const INSERT: &'static str = "INSERT INTO `note` (`text`, `id`) VALUES ($1, $2) RETURNING `id`, `text`";
        const DELETE: &'static str = "DELETE FROM `note` WHERE `id` = $1 RETURNING `id`, `text`";
        fn from_row(row: &_orm::Row<'_, _orm::Sqlite>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                id: row.get::<i64>("id")?,
                text: row.get::<String>("text")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::Sqlite>) {
            columns.column::<i64>("id");
            columns.column::<String>("text");
        }
        fn bind_columns(&self, bindings: &mut _orm::Bindings<_orm::Sqlite>) {
            bindings.column::<String>("text", &self.text);
        }
    }
    impl Note {
        /// Reads the row with this primary key: from the cache, or else from the database.
        async fn fetch(
            db: impl _orm::SqliteSession,
            key: i64,
        ) -> _orm::Result<_orm::Option<Self>> {
            <Self as _orm::MemcachedOrm>::fetch(db, key).await
        }
        /// Writes the row, and reads back what the database made of it.
        async fn update(&mut self, db: impl _orm::SqliteSession) -> _orm::Result<()> {
            <Self as _orm::MemcachedOrm>::update(self, db).await
        }
        /// Reads the row again from the database, and caches it.
        async fn refresh(&mut self, db: impl _orm::SqliteSession) -> _orm::Result<()> {
            <Self as _orm::MemcachedOrm>::refresh(self, db).await
        }
        /// Deletes the row; `false` if there is none.
        async fn delete(&self, db: impl _orm::SqliteSession) -> _orm::Result<bool> {
            <Self as _orm::MemcachedOrm>::delete(self, db).await
        }
        /// The primary key as it stands in cache keys, such as `(7)`.
        fn get_instance_key(&self) -> _orm::String {
            <Self as _orm::MemcachedOrm>::get_instance_key(self)
        }
    }
    type _Column<T> = _orm::Column<Note, T>;
    impl NoteColumns {
        const ID: _Column<i64> = _Column::primary_key("id");
        const TEXT: _Column<String> = _Column::new("text");
    }
};
