//! Fills caches, and makes sure that they are filled.

use benches::{
    Result,
    contestant::{ByHandle, Hits, Reader, UniqueReader},
    drive::Operation,
    item::WorkingSet,
};

/// How often a set is read until the cache has all of it: a machine that is busy with
/// something else may have a few fills fail.
const PASSES: usize = 5;

/// Over a set that the cache has: a whole pass over it has asked the database of
/// nothing.
pub(super) async fn held<R: Reader>(reader: R, set: &WorkingSet) -> Result<Hits<R>> {
    until_held(Hits { reader, set: set.clone() }, Hits::prepare).await
}

/// Over a set that the cache has by handles, too.
pub(super) async fn held_by_handle<R: UniqueReader>(
    reader: R,
    set: &WorkingSet,
) -> Result<ByHandle<R>> {
    until_held(ByHandle(Hits { reader, set: set.clone() }), ByHandle::prepare).await
}

/// Over a set that has been read once, for those who have no cache.
pub(super) async fn read_once<R: Reader>(reader: R, set: &WorkingSet) -> Result<Hits<R>> {
    let hits = Hits { reader, set: set.clone() };
    hits.prepare().await?;
    Ok(hits)
}

/// Passes over all that is going to be read, until one asks the database of nothing.
pub(super) async fn until_held<O: Operation>(
    operation: O,
    pass: impl AsyncFn(&O) -> Result<()>,
) -> Result<O> {
    for _ in 0..PASSES {
        let before = operation.loads();
        pass(&operation).await?;
        if operation.loads() == before {
            return Ok(operation);
        }
    }
    let loads = operation.loads();
    Err(format!(
        "the cache does not keep the working set: {loads} loads in {PASSES} passes; \
         give it more memory, or the machine less to do"
    )
    .into())
}
