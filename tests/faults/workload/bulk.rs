//! Writes of several rows by one statement.

use super::writer::{Begun, begin, failed};
use crate::{engines::Engine, rows::HotRowOf};
use cached_orm::{Result, Transaction};
use rand::{RngExt, rngs::StdRng};

/// Gives every key its next state: the rows that are there are updated or deleted,
/// and the others inserted.
pub(super) async fn write<DB: Engine, T: HotRowOf<DB>>(
    transaction: &mut Transaction<DB>,
    begun: &mut Begun<'_>,
    keys: &[i64],
    rng: &mut StdRng,
) -> Result<()> {
    let deletes = rng.random_bool(0.2);
    let (mut new, mut changed, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for &key in keys {
        let locked = DB::lock(transaction, key).await.map_err(failed)?;
        let write = begin(begun.shared, key, locked.revision + 1, "in bulk");
        begun.pending.push(write);
        let row = T::new(key, write.revision, write.attempt);
        match locked.is_present {
            true if deletes => gone.push(write),
            true => changed.push(row),
            false => new.push(row),
        }
    }
    T::insert_many(&mut *transaction, &new).await?;
    T::update_many(&mut *transaction, &mut changed).await?;
    let deleted = T::delete_many(&mut *transaction, gone.iter().map(|write| write.key.into()));
    assert_eq!(deleted.await?, gone.len() as u64, "locked rows are there");
    for write in gone {
        // Readers may see it as soon as COMMIT is sent.
        begun.shared.history.may_be_absent(write.key, write.revision, write.attempt);
    }
    for write in &begun.pending {
        DB::note_revision(transaction, write.key, write.revision).await.map_err(failed)?;
    }
    Ok(())
}
