use super::{fence::Token, shared_fence::SharedFence};
use crate::key::CacheKey;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How many keys are watched at once, and how many tokens of each.
const MOST_KEYS: usize = 1024;
const MOST_TOKENS: usize = 128;

/// When this process has first seen the tokens that lie in shared fences.
///
/// Whoever puts a shared fence gives it its whole life anew, and with it the token
/// of a writer that has died. So that such a token does not stay for as long as
/// others write, it is left out once it was seen for as long as a fence lives. That
/// is as safe as letting a fence expire: a writer that goes on renews its fence, and
/// puts another token into it then.
#[derive(Default)]
pub(super) struct Abandoned(Mutex<HashMap<CacheKey, Watched>>);

struct Watched {
    last_seen: Instant,
    tokens: Vec<(Token, Instant)>,
}

impl Abandoned {
    /// What is left of a fence that was found now; `None` if nothing is.
    pub(super) fn leave_out(
        &self,
        key: &CacheKey,
        fence: SharedFence,
        life: Duration,
    ) -> Option<SharedFence> {
        let now = Instant::now();
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MOST_KEYS && !keys.contains_key(key) {
            keys.retain(|_, watched| now.duration_since(watched.last_seen) < life * 2);
            if keys.len() >= MOST_KEYS {
                // They are seen anew, and stay a little longer.
                keys.clear();
            }
        }
        let watched = keys
            .entry(key.clone())
            .or_insert_with(|| Watched { last_seen: now, tokens: Vec::new() });
        watched.last_seen = now;
        if watched.tokens.len() >= MOST_TOKENS {
            watched.tokens.retain(|(token, _)| fence.has_any(&[*token]));
        }
        let mut old = Vec::new();
        for token in fence.tokens() {
            match watched.tokens.iter().find(|(seen, _)| seen == token) {
                Some((_, first_seen)) if now.duration_since(*first_seen) > life => old.push(*token),
                Some(_) => {}
                None => watched.tokens.push((*token, now)),
            }
        }
        fence.without(&old)
    }
}
