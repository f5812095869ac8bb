use crate::{
    app::App,
    city::{City, CityChange, NewCity},
    database::{CityFilter, Database},
    error::{ApiError, Result},
    extract::{Json, Path, Query},
    place::{Limit, Page, cut},
};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
};
use cached_orm::{MemcachedOrm, Persist, Storable};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    #[serde(default)]
    after: i64,
    country: Option<String>,
    search: Option<String>,
    #[serde(default)]
    limit: Limit,
}

/// A city, and its revision in the header.
type Tagged = ([(HeaderName, String); 1], axum::Json<City>);

/// The database finds the keys, by its own indexes, and the cache has the rows.
pub(super) async fn list<DB: Database>(
    State(app): State<App<DB>>,
    Query(Listed { after, country, search, limit }): Query<Listed>,
) -> Result<axum::Json<Page<City, i64>>>
where
    City: Persist<DB>,
{
    let texts = [country.as_deref(), search.as_deref()];
    if texts.into_iter().flatten().any(|text| text.contains('\0')) {
        return Err(ApiError::invalid("search", "be text"));
    }
    let filter = CityFilter { after, country, search, limit };
    let mut ids = DB::find_cities(app.orm.pool(), &filter).await?;
    let next = cut(&mut ids, limit);
    // One that was deleted in between is not there.
    let items = City::fetch_many(&app.orm, ids).await?.into_iter().flatten().collect();
    Ok(axum::Json(Page { items, next }))
}

pub(super) async fn one<DB: Database>(
    State(app): State<App<DB>>,
    Path(id): Path<i64>,
) -> Result<Tagged>
where
    City: Persist<DB>,
{
    let city = City::fetch(&app.orm, id).await?;
    city.map(tagged).ok_or_else(|| ApiError::not_found("city"))
}

/// By a unique index, from the cache too.
pub(super) async fn by_slug<DB: Database>(
    State(app): State<App<DB>>,
    Path(slug): Path<String>,
) -> Result<Tagged> {
    if slug.contains('\0') {
        return Err(ApiError::not_found("city"));
    }
    let city = DB::city_by_slug(&app.orm, slug).await?;
    city.map(tagged).ok_or_else(|| ApiError::not_found("city"))
}

pub(super) async fn create<DB: Database>(
    State(app): State<App<DB>>,
    Json(new): Json<NewCity>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Tagged)>
where
    City: Persist<DB>,
{
    let city = new.checked()?.insert(&app.orm).await?;
    let location = format!("/api/cities/{}", city.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], tagged(city)))
}

/// With `If-Match` only over the revision that the client has seen: of two who edit the
/// same city one is told. Without, it writes the columns that were given.
pub(super) async fn change<DB: Database>(
    State(app): State<App<DB>>,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Json(change): Json<CityChange>,
) -> Result<Tagged>
where
    City: Persist<DB>,
    String: Storable<DB>,
    f64: Storable<DB>,
{
    let change = change.checked()?;
    let Some(revision) = expected_revision(&headers)? else {
        return Ok(tagged(change.patch(id).execute(&app.orm).await?));
    };
    let mut city = City::fetch_one(&app.orm, id).await?;
    if city.revision != revision {
        return Err(ApiError::changed_meanwhile());
    }
    change.apply(&mut city);
    // Compares the revision again, in the database.
    city.update(&app.orm).await?;
    Ok(tagged(city))
}

pub(super) async fn delete<DB: Database>(
    State(app): State<App<DB>>,
    Path(id): Path<i64>,
) -> Result<StatusCode>
where
    City: Persist<DB>,
{
    match City::delete_by_key(&app.orm, id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("city")),
    }
}

fn tagged(city: City) -> Tagged {
    ([(header::ETAG, format!("\"{}\"", city.revision))], axum::Json(city))
}

fn expected_revision(headers: &HeaderMap) -> Result<Option<i64>> {
    let Some(tag) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let tag = tag.to_str().unwrap_or_default().trim();
    if tag == "*" {
        return Ok(None);
    }
    let revision = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')?.parse().ok());
    // Another one's tag matches nothing.
    revision.map(Some).ok_or_else(ApiError::changed_meanwhile)
}
