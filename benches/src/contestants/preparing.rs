//! Fills caches, and makes sure that they are filled.

use benches::{
    Result,
    contestant::{ByHandle, Hits, Reader, UniqueReader},
    item::WorkingSet,
};

/// How often a set is read until the cache has all of it: a machine that is busy with
/// something else may have a few fills fail.
const PASSES: usize = 5;

/// Over a set that the cache has: a whole pass over it has asked the database of
/// nothing.
pub(super) async fn held<R: Reader>(reader: R, set: &WorkingSet) -> Result<Hits<R>> {
    let hits = Hits { reader, set: set.clone() };
    for _ in 0..PASSES {
        let before = hits.reader.loads();
        hits.prepare().await?;
        if hits.reader.loads() == before {
            return Ok(hits);
        }
    }
    Err(not_held(&hits.reader))
}

/// Over a set that the cache has by handles, too.
pub(super) async fn held_by_handle<R: UniqueReader>(
    reader: R,
    set: &WorkingSet,
) -> Result<ByHandle<R>> {
    let by_handle = ByHandle(Hits { reader, set: set.clone() });
    for _ in 0..PASSES {
        let before = by_handle.0.reader.loads();
        by_handle.prepare().await?;
        if by_handle.0.reader.loads() == before {
            return Ok(by_handle);
        }
    }
    Err(not_held(&by_handle.0.reader))
}

/// Over a set that has been read once, for those who have no cache.
pub(super) async fn read_once<R: Reader>(reader: R, set: &WorkingSet) -> Result<Hits<R>> {
    let hits = Hits { reader, set: set.clone() };
    hits.prepare().await?;
    Ok(hits)
}

fn not_held(reader: &impl Reader) -> Box<dyn std::error::Error + Send + Sync> {
    let loads = reader.loads();
    format!(
        "the cache does not keep the working set: {loads} loads in {PASSES} passes; \
         give it more memory, or the machine less to do"
    )
    .into()
}
