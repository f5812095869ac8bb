use crate::{
    app::App,
    city::City,
    database::Database,
    error::{ApiError, Result},
    extract::{Json, Path, Query},
    place::{Limit, Page, check_country, check_region, cut},
    region::{Region, RegionBody},
};
use axum::{extract::State, http::StatusCode};
use cached_orm::{MemcachedOrm, Persist};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed<C: Default> {
    #[serde(default)]
    after: C,
    #[serde(default)]
    limit: Limit,
}

pub(super) async fn list<DB: Database>(
    State(app): State<App<DB>>,
    Path(country): Path<String>,
    Query(Listed { after, limit }): Query<Listed<String>>,
) -> Result<axum::Json<Page<Region, String>>>
where
    Region: Persist<DB>,
{
    check_country(&country)?;
    check_region(&after)?;
    let mut codes = DB::find_regions(app.orm.pool(), &country, &after, limit).await?;
    let next = cut(&mut codes, limit);
    let keys = codes.into_iter().map(|admin1| (country.clone(), admin1));
    let items = Region::fetch_many(&app.orm, keys).await?.into_iter().flatten().collect();
    Ok(axum::Json(Page { items, next }))
}

pub(super) async fn one<DB: Database>(
    State(app): State<App<DB>>,
    Path(key): Path<(String, String)>,
) -> Result<axum::Json<Region>>
where
    Region: Persist<DB>,
{
    let region = Region::fetch(&app.orm, known(key)?).await?;
    region.map(axum::Json).ok_or_else(|| ApiError::not_found("region"))
}

/// The client names the key, so the same request twice does no harm.
pub(super) async fn put<DB: Database>(
    State(app): State<App<DB>>,
    Path((country, admin1)): Path<(String, String)>,
    Json(body): Json<RegionBody>,
) -> Result<axum::Json<Region>>
where
    Region: Persist<DB>,
{
    let region = body.checked(country, admin1)?.upsert(&app.orm).await?;
    Ok(axum::Json(region))
}

pub(super) async fn delete<DB: Database>(
    State(app): State<App<DB>>,
    Path(key): Path<(String, String)>,
) -> Result<StatusCode>
where
    Region: Persist<DB>,
{
    match Region::delete_by_key(&app.orm, known(key)?).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("region")),
    }
}

/// By an index over two columns, from the cache too: a region has a handful of cities, so
/// all of them are read, and cut to a page here.
pub(super) async fn cities<DB: Database>(
    State(app): State<App<DB>>,
    Path(key): Path<(String, String)>,
    Query(Listed { after, limit }): Query<Listed<i64>>,
) -> Result<axum::Json<Page<City, i64>>> {
    let (country, admin1) = known(key)?;
    let mut items = DB::cities_of_region(&app.orm, country, admin1).await?;
    items.retain(|city| city.id > after);
    let mut ids = items.iter().map(|city| city.id).collect();
    let next = cut(&mut ids, limit);
    items.truncate(limit.rows());
    Ok(axum::Json(Page { items, next }))
}

/// What cannot be a region's key is none.
fn known((country, admin1): (String, String)) -> Result<(String, String)> {
    match (check_country(&country), check_region(&admin1)) {
        (Ok(()), Ok(())) => Ok((country, admin1)),
        _ => Err(ApiError::not_found("region")),
    }
}
