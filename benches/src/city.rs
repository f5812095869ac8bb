//! Real places: `examples/data/cities.csv`, with names in any script, and gaps
//! between the ids.

use benches::Result;
use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};
use std::{path::Path, sync::Arc};

/// A row of `cities`, and a line of the file. That a row does not exist is
/// remembered for longer than the workload takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, sqlx::FromRow, MemcachedOrm)]
#[orm(table = "cities", database = Postgres, ttl = "1h", negative_ttl = "10m")]
pub(crate) struct City {
    /// Six of seven ids up to the highest are nobody's.
    #[primary_key]
    pub(crate) id: i64,
    /// Two letters.
    pub(crate) country: String,
    /// The region's code; empty for a few.
    pub(crate) admin1: String,
    /// In any script.
    pub(crate) name: String,
    /// In degrees.
    pub(crate) latitude: f64,
    /// In degrees.
    pub(crate) longitude: f64,
}

/// All cities of the file, by id: what the right answers are.
#[derive(Debug, Clone)]
pub(crate) struct Cities(Arc<Vec<Option<City>>>);

impl Cities {
    /// Reads the file in this repository.
    ///
    /// # Errors
    /// It is not there, or a line is not a city.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let path = root.join("examples/data/cities.csv");
        let mut by_id = Vec::new();
        let wrong = |error| format!("{} cannot be read: {error}", path.display());
        for city in csv::Reader::from_path(&path).map_err(wrong)?.deserialize() {
            let city: City = city.map_err(wrong)?;
            let place = usize::try_from(city.id)?;
            if place >= by_id.len() {
                by_id.resize(place + 1, None);
            }
            by_id[place] = Some(city);
        }
        Ok(Self(Arc::new(by_id)))
    }

    /// Those that exist.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &City> {
        self.0.iter().flatten()
    }

    /// The highest id that a city has.
    pub(crate) fn highest(&self) -> i64 {
        self.rows().last().map_or(0, |city| city.id)
    }

    /// Whether this is the answer for an id: the city, or that there is none.
    ///
    /// # Errors
    /// It is not.
    pub(crate) fn check(&self, id: i64, answer: Option<&City>) -> Result<()> {
        let place = usize::try_from(id)?;
        match (self.0.get(place).and_then(Option::as_ref), answer) {
            (right, answer) if right == answer => Ok(()),
            (Some(_), None) => Err(format!("no city for id {id}").into()),
            (Some(_), Some(_)) => Err(format!("a wrong city for id {id}").into()),
            (None, _) => Err(format!("a city for id {id}, which none has").into()),
        }
    }
}
