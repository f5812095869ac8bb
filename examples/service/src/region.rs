use crate::{
    error::Result,
    place::{check_country, check_name, check_region},
};
use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

/// A row of `regions`: a part of a country.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "regions", database = (Postgres, Sqlite), ttl = "1h")]
pub(crate) struct Region {
    #[primary_key]
    pub(crate) country: String,
    #[primary_key]
    pub(crate) admin1: String,
    pub(crate) name: String,
}

/// What a client sends to create or change a region; its key is in the path.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegionBody {
    name: String,
}

impl RegionBody {
    pub(crate) fn checked(self, country: String, admin1: String) -> Result<Region> {
        let name = self.name.trim().to_owned();
        check_country(&country)?;
        check_region(&admin1)?;
        check_name(&name)?;
        Ok(Region { country, admin1, name })
    }
}
