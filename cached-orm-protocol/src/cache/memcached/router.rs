use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Says which server a key belongs to, by rendezvous hashing: the server whose
/// hash with the key is highest.
///
/// Every process must agree on it, so it depends on the addresses and the key
/// and on nothing else: not on the order of the addresses, and not on a hash
/// that changes between releases. It never looks at whether a server is up:
/// another server would serve what writers fence elsewhere.
#[derive(Debug)]
pub(super) struct Router {
    seeds: Vec<u64>,
}

impl Router {
    /// `addresses` must be different from each other.
    pub(super) fn new<'a>(addresses: impl IntoIterator<Item = &'a str>) -> Self {
        Self { seeds: addresses.into_iter().map(|text| xxh3_64(text.as_bytes())).collect() }
    }

    /// The index of the key's server.
    pub(super) fn route(&self, key: &[u8]) -> usize {
        if self.seeds.len() < 2 {
            return 0;
        }
        let mut best = (0, 0);
        let mut index = 0;
        for (at, &seed) in self.seeds.iter().enumerate() {
            // The seed decides a tie, so that the order does not.
            let weight = (xxh3_64_with_seed(key, seed), seed);
            if at == 0 || weight > best {
                best = weight;
                index = at;
            }
        }
        index
    }
}
