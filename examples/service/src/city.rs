use crate::{
    error::{ApiError, Result},
    place::{check_country, check_name, check_region},
};
use cached_orm::{Backend, MemcachedOrm, Patch, Persist, Storable};
use serde::{Deserialize, Serialize};

/// A row of `cities`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "cities", database = (Postgres, Sqlite), ttl = "10m", index(country, admin1))]
pub(crate) struct City {
    #[primary_key]
    #[orm(generated)]
    pub(crate) id: i64,
    #[orm(unique)]
    pub(crate) slug: String,
    /// ISO 3166-1, two letters.
    pub(crate) country: String,
    /// The region within the country; empty if it is not known.
    pub(crate) admin1: String,
    pub(crate) name: String,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    /// Counts updates; it is the ETag.
    #[orm(version)]
    pub(crate) revision: i64,
}

/// What a client sends to create a city.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCity {
    /// Made of name and country if it is not given.
    slug: Option<String>,
    country: String,
    #[serde(default)]
    admin1: String,
    name: String,
    latitude: f64,
    longitude: f64,
}

impl NewCity {
    pub(crate) fn checked(self) -> Result<City> {
        let Self { slug, country, admin1, name, latitude, longitude } = self;
        let name = name.trim().to_owned();
        check_country(&country)?;
        check_region(&admin1)?;
        check_name(&name)?;
        check_degrees("latitude", latitude, 90.0)?;
        check_degrees("longitude", longitude, 180.0)?;
        let slug = slug.unwrap_or_else(|| slug_of(&name, &country));
        check_slug(&slug)?;
        Ok(City { id: 0, slug, country, admin1, name, latitude, longitude, revision: 1 })
    }
}

/// What a client sends to change a city; what is not there stays as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CityChange {
    name: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
}

impl CityChange {
    pub(crate) fn checked(mut self) -> Result<Self> {
        if let Some(name) = &mut self.name {
            *name = name.trim().to_owned();
            check_name(name)?;
        }
        self.latitude.map_or(Ok(()), |degrees| check_degrees("latitude", degrees, 90.0))?;
        self.longitude.map_or(Ok(()), |degrees| check_degrees("longitude", degrees, 180.0))?;
        if self.name.is_none() && self.latitude.is_none() && self.longitude.is_none() {
            return Err(ApiError::invalid("name", "be given, or `latitude`, or `longitude`"));
        }
        Ok(self)
    }

    pub(crate) fn apply(self, city: &mut City) {
        city.name = self.name.unwrap_or_else(|| std::mem::take(&mut city.name));
        city.latitude = self.latitude.unwrap_or(city.latitude);
        city.longitude = self.longitude.unwrap_or(city.longitude);
    }

    /// A write of what was given, whatever the other columns are by now.
    pub(crate) fn patch<DB: Backend>(self, id: i64) -> Patch<City, DB>
    where
        City: Persist<DB>,
        String: Storable<DB>,
        f64: Storable<DB>,
    {
        let mut patch = City::patch(id);
        if let Some(name) = self.name {
            patch = patch.set(CityColumns::NAME, name);
        }
        if let Some(latitude) = self.latitude {
            patch = patch.set(CityColumns::LATITUDE, latitude);
        }
        if let Some(longitude) = self.longitude {
            patch = patch.set(CityColumns::LONGITUDE, longitude);
        }
        patch
    }
}

/// `les-bons-ad`: letters and digits in lower case, and hyphens.
pub(crate) fn slug_of(name: &str, country: &str) -> String {
    let mut slug = String::with_capacity(name.len() + 3);
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    if !slug.is_empty() && !slug.ends_with('-') {
        slug.push('-');
    }
    slug.push_str(&country.to_lowercase());
    slug
}

fn check_slug(slug: &str) -> Result<()> {
    let is_good = |character: char| {
        character == '-' || character.is_alphanumeric() && !character.is_uppercase()
    };
    if slug.is_empty() || slug.len() > 250 || !slug.chars().all(is_good) {
        let must = "be 1 to 250 bytes of letters in lower case, digits and hyphens";
        return Err(ApiError::invalid("slug", must));
    }
    Ok(())
}

fn check_degrees(field: &str, degrees: f64, most: f64) -> Result<()> {
    // Not a number is in no range.
    if (-most..=most).contains(&degrees) {
        return Ok(());
    }
    Err(ApiError::invalid(field, &format!("be between -{most} and {most}")))
}
