use crate::{Backend, OrmBuilder};
use std::time::Duration;

const ACCEPTED: &str = "`memcached://host:port,host:port`, `embedded://64mb` or `uncached://`";
const PARAMETERS: &str = "`namespace`, `connections`, `timeout` and `write_timeout`";

/// A cache as a URL names it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CacheUrl {
    store: Store,
    namespace: Option<String>,
    connections: Option<usize>,
    timeout: Option<Duration>,
    write_timeout: Option<Duration>,
}

#[derive(Debug, PartialEq, Eq)]
enum Store {
    Memcached(Vec<String>),
    #[cfg(feature = "embedded")]
    Embedded(u64),
    Uncached,
}

impl CacheUrl {
    /// Reads a URL; the error says what is wrong and what is accepted.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(format!("the cache URL has no scheme; write {ACCEPTED}"));
        };
        // Nothing of such a URL is repeated: what lies before it may be a password.
        if rest.contains('@') {
            return Err(format!(
                "the cache URL has an `@`, but memcached is reached without a user's name or \
                 password; write {ACCEPTED}"
            ));
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let place = place.trim_end_matches('/');
        let store = match scheme.to_ascii_lowercase().as_str() {
            "memcached" => Store::Memcached(servers(place)?),
            "embedded" => embedded(place)?,
            "uncached" => Store::Uncached,
            _ if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                return Err(format!("the cache URL begins with `{scheme}://`; write {ACCEPTED}"));
            }
            _ => return Err(format!("the cache URL has no scheme; write {ACCEPTED}")),
        };
        let mut parsed =
            Self { store, namespace: None, connections: None, timeout: None, write_timeout: None };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            parsed.parameter(pair)?;
        }
        Ok(parsed)
    }

    fn parameter(&mut self, pair: &str) -> Result<(), String> {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(format!("the cache URL's parameter `{pair}` has no value"));
        };
        match name {
            "namespace" => self.namespace = Some(value.to_owned()),
            "connections" => {
                let connections = value.parse().ok().filter(|&connections| connections > 0);
                self.connections = Some(connections.ok_or_else(|| {
                    format!("the cache URL's `connections={value}` is not a positive number")
                })?);
            }
            "timeout" => self.timeout = Some(duration(name, value)?),
            "write_timeout" => self.write_timeout = Some(duration(name, value)?),
            _ => {
                return Err(format!(
                    "the cache URL has an unknown parameter `{name}`; there are {PARAMETERS}"
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn apply<DB: Backend>(self, mut builder: OrmBuilder<DB>) -> OrmBuilder<DB> {
        builder = match self.store {
            Store::Memcached(servers) => builder.memcached(servers),
            #[cfg(feature = "embedded")]
            Store::Embedded(max_bytes) => builder.embedded(max_bytes),
            Store::Uncached => builder.uncached(),
        };
        if let Some(namespace) = self.namespace {
            builder = builder.namespace(namespace);
        }
        if let Some(connections) = self.connections {
            builder = builder.connections(connections);
        }
        if let Some(timeout) = self.timeout {
            builder = builder.timeout(timeout);
        }
        if let Some(timeout) = self.write_timeout {
            builder = builder.write_timeout(timeout);
        }
        builder
    }
}

fn servers(place: &str) -> Result<Vec<String>, String> {
    let servers: Vec<_> = place.split(',').map(str::to_owned).collect();
    if servers.iter().any(String::is_empty) {
        return Err("the cache URL names no server, or an empty one; write \
                    `memcached://host:port,host:port`"
            .to_owned());
    }
    Ok(servers)
}

#[cfg(feature = "embedded")]
fn embedded(size: &str) -> Result<Store, String> {
    let digits = size.find(|character: char| !character.is_ascii_digit()).unwrap_or(size.len());
    let (number, unit) = size.split_at(digits);
    let unit: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1 << 10,
        "mb" => 1 << 20,
        "gb" => 1 << 30,
        _ => 0,
    };
    let bytes = number.parse().ok().and_then(|number: u64| number.checked_mul(unit));
    match bytes {
        Some(bytes) if bytes > 0 => Ok(Store::Embedded(bytes)),
        _ => Err(format!(
            "the cache URL's size `{size}` cannot be read; write a number with `kb`, `mb` or `gb`, \
             as in `embedded://64mb`"
        )),
    }
}

#[cfg(not(feature = "embedded"))]
fn embedded(_: &str) -> Result<Store, String> {
    Err("`embedded://` needs the feature `embedded` of cached-orm".to_owned())
}

fn duration(name: &str, text: &str) -> Result<Duration, String> {
    let milliseconds = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => number.parse().ok(),
        (None, Some(number)) => number.parse().ok().and_then(|s: u64| s.checked_mul(1000)),
        (None, None) => None,
    };
    match milliseconds {
        Some(milliseconds) if milliseconds > 0 => Ok(Duration::from_millis(milliseconds)),
        _ => Err(format!("the cache URL's `{name}={text}` cannot be read; write `50ms` or `1s`")),
    }
}

/// Reads any URL. What lies before an `@` is never repeated.
#[cfg(any(fuzzing, test))]
pub(crate) fn fuzz(url: &str) {
    const SECRET: &str = "\u{1F511}";
    match CacheUrl::parse(url) {
        Ok(CacheUrl { store, connections, timeout, write_timeout, .. }) => {
            assert!(connections != Some(0));
            assert!([timeout, write_timeout].iter().all(|time| *time != Some(Duration::ZERO)));
            if let Store::Memcached(servers) = store {
                assert!(!servers.is_empty());
                cached_orm_protocol::fuzzing::addresses(&servers);
            }
        }
        Err(message) => assert!(!message.is_empty()),
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("memcached", url));
    let with_password = format!("{scheme}://ann:{SECRET}@{rest}");
    let message = CacheUrl::parse(&with_password).expect_err("there is a password");
    assert!(!message.contains(SECRET), "{message}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_servers_and_parameters() {
        let url = "memcached://a:11211,b:11212?namespace=shop&connections=3&timeout=20ms\
                   &write_timeout=1s";
        assert_eq!(
            CacheUrl::parse(url),
            Ok(CacheUrl {
                store: Store::Memcached(vec!["a:11211".into(), "b:11212".into()]),
                namespace: Some("shop".into()),
                connections: Some(3),
                timeout: Some(Duration::from_millis(20)),
                write_timeout: Some(Duration::from_secs(1)),
            })
        );
    }

    #[cfg(feature = "embedded")]
    #[test]
    fn a_size_has_a_unit() {
        let store = |url| CacheUrl::parse(url).map(|url| url.store);
        assert_eq!(store("embedded://64mb"), Ok(Store::Embedded(64 << 20)));
        assert_eq!(store("embedded://2GB/"), Ok(Store::Embedded(2 << 30)));
        assert_eq!(store("embedded://4096"), Ok(Store::Embedded(4096)));
        for wrong in ["", "0", "mb", "64tb", "-1mb", "99999999999gb"] {
            let error = CacheUrl::parse(&format!("embedded://{wrong}"));
            assert!(error.is_err_and(|error| error.contains("embedded://64mb")), "{wrong}");
        }
    }

    #[test]
    fn nothing_of_a_password_is_repeated() {
        for url in [
            "memcached://ann:secret@localhost",
            "memcached://secret@localhost?namespace=shop",
            "memcached://ann:p?secret=x@localhost",
            "memcached://ann:p?secret@localhost",
            "memcached://ann:p?timeout=secret@localhost",
            "redis://ann:secret@localhost",
            "ann:secret@localhost",
            "ann:secret@redis://localhost",
        ] {
            let error = CacheUrl::parse(url).expect_err(url);
            assert!(!error.contains("secret") && error.contains("memcached://host"), "{error}");
        }
    }

    #[test]
    fn a_mistake_is_named_together_with_what_is_accepted() {
        let error = |url| CacheUrl::parse(url).err().unwrap_or_default();
        assert!(error("localhost:11211").contains("memcached://host:port"));
        assert!(error("redis://localhost").contains("`redis://`"));
        assert!(error("memcached://").contains("no server"));
        assert!(error("memcached://a,,b").contains("empty"));
        assert!(error("memcached://a?ttl=5").contains("`namespace`"));
        assert!(error("memcached://a?timeout=5").contains("50ms"));
        assert!(error("memcached://a?write_timeout=0s").contains("`write_timeout=0s`"));
        assert!(error("memcached://a?connections=0").contains("positive"));
    }
}
