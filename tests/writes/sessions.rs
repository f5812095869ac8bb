//! The places where a write can be done.

/// Where a write is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    Orm,
    Transaction,
    Savepoint,
}

pub(crate) const EVERYWHERE: [Where; 3] = [Where::Orm, Where::Transaction, Where::Savepoint];

/// What a write gives that is done in a transaction, and committed.
macro_rules! in_transaction {
    ($here:expr, |$session:ident| $write:expr) => {{
        let mut transaction = $here.orm.begin().await.unwrap();
        let $session = &mut transaction;
        let written = $write;
        transaction.commit().await.unwrap();
        written
    }};
}

/// What a write gives that is done in a savepoint, and committed.
macro_rules! in_savepoint {
    ($here:expr, |$session:ident| $write:expr) => {{
        let mut transaction = $here.orm.begin().await.unwrap();
        let mut savepoint = transaction.savepoint().await.unwrap();
        let $session = &mut savepoint;
        let written = $write;
        savepoint.commit().await.unwrap();
        transaction.commit().await.unwrap();
        written
    }};
}

/// What a write gives that is done there, and committed.
macro_rules! done {
    ($place:expr, $here:expr, |$session:ident| $write:expr) => {
        match $place {
            crate::sessions::Where::Orm => {
                let $session = &$here.orm;
                $write
            }
            crate::sessions::Where::Transaction => {
                in_transaction!($here, |$session| $write)
            }
            crate::sessions::Where::Savepoint => in_savepoint!($here, |$session| $write),
        }
    };
}

/// Does a write in a transaction, and in a savepoint, and undoes it each time.
macro_rules! undone {
    ($here:expr, |$session:ident| $write:expr) => {
        let mut transaction = $here.orm.begin().await.unwrap();
        let $session = &mut transaction;
        $write;
        transaction.rollback().await.unwrap();
        let mut transaction = $here.orm.begin().await.unwrap();
        let mut savepoint = transaction.savepoint().await.unwrap();
        let $session = &mut savepoint;
        $write;
        savepoint.rollback().await.unwrap();
        transaction.commit().await.unwrap();
    };
}
