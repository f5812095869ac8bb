/// The columns of [`Ticket`].
#[allow(dead_code)]
struct TicketColumns;
#[allow(dead_code, deprecated, missing_docs)]
const _: () = {
    use ::cached_orm::__private as _orm;
    #[automatically_derived]
    impl _orm::Entity for Ticket {
        type Key = u64;
        const NAME: &'static str = "Ticket";
        const TABLE: _orm::Table = _orm::Table::new("tickets", &["id"]);
        const FINGERPRINT: u64 = 0x8569_bc3a_6fb8_3506;
        fn key(&self) -> u64 {
            _orm::Clone::clone(&self.id)
        }
    }
    #[automatically_derived]
    impl _orm::Persist<_orm::MySql> for Ticket {
        const SELECT: &'static str = "SELECT `id`, `issued_at` FROM `tickets`";
        const SELECT_BY_KEY: &'static str = "SELECT `id`, `issued_at` FROM `tickets` WHERE `id` = ?";
        const LOCK_BY_KEY: &'static str = "SELECT `id`, `issued_at` FROM `tickets` WHERE `id` = ? FOR UPDATE";
        const INSERT: &'static str = "INSERT INTO `tickets` () VALUES ()";
        const SELECT_INSERTED: _orm::Option<&'static str> = _orm::Some(
            "SELECT `id`, `issued_at` FROM `tickets` WHERE `id` = LAST_INSERT_ID() FOR UPDATE",
        );
        const DELETE: &'static str = "DELETE FROM `tickets` WHERE `id` = ?";
        fn from_row(row: &_orm::Row<'_, _orm::MySql>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                id: row.get::<u64>("id")?,
                issued_at: row.get::<DateTime<Utc>>("issued_at")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::MySql>) {
            columns.column::<u64>("id");
            columns.column::<DateTime<Utc>>("issued_at");
        }
        fn bind_columns(&self, _: &mut _orm::Bindings<_orm::MySql>) {}
        fn bind_read_back(&self, bindings: &mut _orm::Bindings<_orm::MySql>) {
            bindings.column::<DateTime<Utc>>("issued_at", &self.issued_at);
        }
        fn bind_given_key(&self, _: &mut _orm::Bindings<_orm::MySql>) {}
    }
    #[automatically_derived]
    impl _orm::Persist<_orm::Sqlite> for Ticket {
        const SELECT: &'static str = "SELECT `id`, `issued_at` FROM `tickets`";
        const SELECT_BY_KEY: &'static str = "SELECT `id`, `issued_at` FROM `tickets` WHERE `id` = $1";
        const INSERT: &'static str = "INSERT INTO `tickets` DEFAULT VALUES RETURNING `id`, `issued_at`";
        const DELETE: &'static str = "DELETE FROM `tickets` WHERE `id` = $1 RETURNING `id`, `issued_at`";
        fn from_row(row: &_orm::Row<'_, _orm::Sqlite>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                id: row.get::<u64>("id")?,
                issued_at: row.get::<DateTime<Utc>>("issued_at")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::Sqlite>) {
            columns.column::<u64>("id");
            columns.column::<DateTime<Utc>>("issued_at");
        }
        fn bind_columns(&self, _: &mut _orm::Bindings<_orm::Sqlite>) {}
        fn bind_read_back(&self, bindings: &mut _orm::Bindings<_orm::Sqlite>) {
            bindings.column::<DateTime<Utc>>("issued_at", &self.issued_at);
        }
        fn bind_given_key(&self, _: &mut _orm::Bindings<_orm::Sqlite>) {}
    }
    impl Ticket {
        /// Reads the row with this primary key: from the cache, or else from the database.
        async fn fetch<S: _orm::Session>(
            db: S,
            key: u64,
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
    type _Column<T> = _orm::Column<Ticket, T>;
    impl TicketColumns {
        const ID: _Column<u64> = _Column::primary_key("id");
        const ISSUED_AT: _Column<DateTime<Utc>> = _Column::read_back("issued_at");
    }
};
