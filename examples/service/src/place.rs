//! What cities and regions have in common.

use crate::error::{ApiError, Result};
use serde::{Deserialize, Serialize};

/// A page of a list. `next` is what `after` must be to get the next one; it is not
/// there at the end.
///
/// By keys and not by numbers of rows: a page costs the same however far down it is,
/// and rows that come and go shift nothing.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T, C> {
    pub(crate) items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<C>,
}

/// How many rows a page has.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u32")]
pub(crate) struct Limit(u32);

impl Limit {
    pub(crate) fn rows(self) -> usize {
        self.0 as usize
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(20)
    }
}

impl TryFrom<u32> for Limit {
    type Error = &'static str;

    fn try_from(limit: u32) -> Result<Self, Self::Error> {
        if (1..=200).contains(&limit) { Ok(Self(limit)) } else { Err("limit must be 1 to 200") }
    }
}

/// Cuts keys, of which one more than wanted was asked for, to a page; gives the cursor
/// of the next one.
pub(crate) fn cut<K: Clone>(keys: &mut Vec<K>, limit: Limit) -> Option<K> {
    let is_more = keys.len() > limit.rows();
    keys.truncate(limit.rows());
    keys.last().filter(|_| is_more).cloned()
}

pub(crate) fn check_name(name: &str) -> Result<()> {
    let length = name.chars().count();
    // PostgreSQL takes no NUL.
    if (1..=200).contains(&length) && !name.contains(char::is_control) {
        return Ok(());
    }
    Err(ApiError::invalid("name", "have 1 to 200 characters, none of them control characters"))
}

pub(crate) fn check_country(country: &str) -> Result<()> {
    if country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(ApiError::invalid("country", "be two capital letters, such as `DE`"))
}

pub(crate) fn check_region(admin1: &str) -> Result<()> {
    if admin1.len() <= 20 && admin1.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(ApiError::invalid("admin1", "be up to 20 letters and digits"))
}
