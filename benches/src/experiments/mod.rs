//! What is measured by other means than rounds of contestants.

pub(crate) mod cache_dead;
pub(crate) mod compile;
pub(crate) mod growth;
pub(crate) mod memory;
mod resident;
pub(crate) mod stampede;
