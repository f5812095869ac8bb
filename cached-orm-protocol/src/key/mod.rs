//! Cache keys.
//!
//! Users are shown [`CacheKey`], and only its text; how one is made is for `cached-orm`.
//!
//! An instance key is one `(part)` for each primary key column: `(7)`,
//! `(AD)(06)`. A cache key puts the namespace and the table before it:
//! `shop:users:(7)`. Bytes that a part may not contain are percent-encoded, so
//! two different keys never print alike, and no part can carry a memcached
//! command.

mod outbox_text;

use std::{borrow::Borrow, cell::Cell, fmt, fmt::Write as _, sync::Arc};

/// memcached's limit for a key.
const MAX_CACHE_KEY: usize = 250;
/// `#` and a hexadecimal BLAKE3 hash.
const HASH_SUFFIX: usize = 1 + 64;

/// The name under which a table's rows lie in the cache.
#[derive(Debug, Clone, Copy)]
pub struct CacheName<'n> {
    text: &'n str,
    is_plain: bool,
}

impl<'n> CacheName<'n> {
    /// In a constant it costs reads nothing to find out whether the name is plain.
    pub const fn of(text: &'n str) -> Self {
        Self { text, is_plain: is_plain(text) }
    }

    fn write(self, text: &mut String) {
        if self.is_plain {
            text.push_str(self.text);
        } else {
            escape(self.text, text);
        }
    }
}

impl<'n> From<&'n str> for CacheName<'n> {
    fn from(text: &'n str) -> Self {
        Self::of(text)
    }
}

/// The key of one entry: at most 250 bytes, without blanks or control bytes.
///
/// Cheap to clone.
///
/// ```
/// # extern crate cached_orm_protocol as cached_orm;
/// # fn example(key: cached_orm::CacheKey) {
/// // Such as `shop:users:(7)`.
/// println!("{key}");
/// assert!(key.as_bytes().len() <= 250);
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CacheKey(Arc<str>);

impl CacheKey {
    /// The key of the row of `table` whose instance key is what `instance_key` appends.
    #[doc(hidden)]
    pub fn of_row<'n>(
        namespace: &Namespace,
        table: impl Into<CacheName<'n>>,
        instance_key: impl FnOnce(&mut String),
    ) -> Self {
        Self::with_text_of_row(namespace, table.into(), instance_key, |text| Self(text.into()))
    }

    /// What `read` makes of the text of the row's key.
    #[doc(hidden)]
    pub fn with_text_of_row<R>(
        namespace: &Namespace,
        table: CacheName<'_>,
        instance_key: impl FnOnce(&mut String),
        read: impl FnOnce(&str) -> R,
    ) -> R {
        let write = |text: &mut String| {
            text.push_str(&namespace.prefix);
            table.write(text);
            text.push(':');
            instance_key(text);
        };
        with_text(write, read)
    }

    /// The key of the entry of the index called `index` for the value whose text
    /// is `value`.
    ///
    /// In a row's key nothing is between the last colon and the first
    /// parenthesis, so that no index entry has the key of a row.
    #[doc(hidden)]
    pub fn of_index(namespace: &Namespace, table: &str, index: &str, value: &str) -> Self {
        let write = |text: &mut String| {
            text.push_str(&namespace.prefix);
            escape(table, text);
            text.push(':');
            text.push_str(index);
            text.push_str(value);
        };
        with_text(write, |text| Self(text.into()))
    }

    /// The key of the row of `table` whose primary key has parts of these texts.
    #[doc(hidden)]
    pub fn of_parts(namespace: &Namespace, table: &str, parts: &[impl AsRef<str>]) -> Self {
        let write = |text: &mut String| {
            text.push_str(&namespace.prefix);
            escape(table, text);
            text.push(':');
            for part in parts {
                text.push('(');
                escape(part.as_ref(), text);
                text.push(')');
            }
        };
        with_text(write, |text| Self(text.into()))
    }

    /// The form in which triggers write this key; `None` if it was shortened.
    #[doc(hidden)]
    pub fn trigger_text(&self, namespace: &Namespace) -> Option<String> {
        let key = self.0.strip_prefix(&*namespace.prefix)?;
        let (name, parts) = key.split_at(key.find('(')?);
        if !key.ends_with(')') {
            return None;
        }
        Some(outbox_text::of_escaped(name, parts))
    }

    /// The form in which triggers write the key of the row whose instance key is what
    /// `instance_key` appends.
    #[doc(hidden)]
    pub fn outbox_text(table: &str, instance_key: impl FnOnce(&mut String)) -> String {
        let mut text = outbox_text::name(table);
        let mut key = String::new();
        instance_key(&mut key);
        outbox_text::write_parts(&key, &mut text);
        text
    }

    /// The form in which triggers write the key of the row whose primary key has parts
    /// of these texts.
    #[doc(hidden)]
    pub fn outbox_text_of_parts(table: &str, parts: &[String]) -> String {
        let mut text = outbox_text::name(table);
        for part in parts {
            text.push('(');
            part.bytes().for_each(|byte| {
                // Writing to a `String` cannot fail.
                let _ = write!(text, "{byte:02x}");
            });
            text.push(')');
        }
        text
    }

    /// What every such text of a table begins with.
    #[doc(hidden)]
    pub fn outbox_name(table: &str) -> String {
        outbox_text::name(table)
    }

    /// The key that a row of the outbox names; `None` if it names none.
    #[doc(hidden)]
    pub fn of_outbox(namespace: &Namespace, text: &str) -> Option<Self> {
        if !text.starts_with(outbox_text::HEX) {
            // Anyone may write into a table, but not commands to memcached.
            let is_key = (1..=MAX_CACHE_KEY).contains(&text.len())
                && text.bytes().all(|byte| matches!(byte, b'!'..=b'~'));
            return is_key.then(|| Self(text.into()));
        }
        let mut key = namespace.prefix.to_string();
        outbox_text::write_key(text, &mut key)?;
        shorten(&mut key);
        Some(Self(key.into()))
    }

    /// The key as it is sent to the cache.
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key's bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// What `read` makes of the key that `write` writes.
fn with_text<R>(write: impl FnOnce(&mut String), read: impl FnOnce(&str) -> R) -> R {
    thread_local! {
        // Reused: a key is written for every read.
        static TEXT: Cell<String> = const { Cell::new(String::new()) };
    }
    let mut text = TEXT.take();
    text.clear();
    write(&mut text);
    shorten(&mut text);
    let made = read(&text);
    // One of great length was needed once.
    if text.capacity() <= 4 * MAX_CACHE_KEY {
        TEXT.set(text);
    }
    made
}

/// Shortens a long key to a prefix and a hash of the whole.
///
/// A short key ends with `)` and a shortened one with a hexadecimal digit,
/// so that nobody can choose a short key that equals a shortened one.
fn shorten(text: &mut String) {
    if text.len() > MAX_CACHE_KEY {
        let hash = blake3::hash(text.as_bytes()).to_hex();
        text.truncate(MAX_CACHE_KEY - HASH_SUFFIX);
        text.push('#');
        text.push_str(&hash);
    }
}

impl Borrow<str> for CacheKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The first part of every cache key of one `Orm`.
#[derive(Debug, Clone, Default)]
pub struct Namespace {
    /// Empty, or the namespace and a colon.
    prefix: Arc<str>,
}

impl Namespace {
    const MAX: usize = 64;

    /// The namespace without the colon.
    pub fn name(&self) -> &str {
        self.prefix.strip_suffix(':').unwrap_or_default()
    }

    /// Refuses what could be confused with another namespace's keys.
    pub fn new(name: &str) -> Result<Self, String> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if name.is_empty() {
            Ok(Self::default())
        } else if name.len() > Self::MAX {
            Err(format!(
                "the namespace has {} bytes; at most {} are allowed",
                name.len(),
                Self::MAX
            ))
        } else if !name.bytes().all(is_plain) {
            Err(format!(
                "the namespace {name:?} has a character other than letters, digits, `_`, `-` and `.`"
            ))
        } else {
            Ok(Self { prefix: format!("{name}:").into() })
        }
    }
}

/// How an index over these columns is called: `email`, or `tenant,handle`.
pub fn index_name<'c>(columns: impl Iterator<Item = &'c str>) -> String {
    let mut name = String::new();
    for column in columns {
        if !name.is_empty() {
            name.push(',');
        }
        for (i, part) in column.split(',').enumerate() {
            if i > 0 {
                push_escaped(b',', &mut name);
            }
            escape(part, &mut name);
        }
    }
    name
}

/// Appends `part` with everything percent-encoded that is not printable ASCII, or
/// that has a meaning in keys or in SQL's literals.
#[inline]
pub fn escape(part: &str, text: &mut String) {
    let mut rest = part;
    // What is plain is copied at once: most keys are nothing else.
    while let Some(at) = rest.bytes().position(|byte| !IS_PLAIN[usize::from(byte)]) {
        // Before it all is ASCII, so that a character begins here.
        let (plain, special) = rest.split_at(at);
        text.push_str(plain);
        let end = special.chars().next().map_or(0, char::len_utf8);
        special.bytes().take(end).for_each(|byte| push_escaped(byte, text));
        rest = &special[end..];
    }
    text.push_str(rest);
}

/// The bytes that stand for themselves.
const IS_PLAIN: [bool; 256] = {
    let mut is_plain = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        is_plain[byte as usize] = !matches!(byte, b'(' | b')' | b'%' | b':' | b'\'' | b'\\');
        byte += 1;
    }
    is_plain
};

/// Whether all of `part` stands for itself.
const fn is_plain(part: &str) -> bool {
    let mut rest = part.as_bytes();
    while let [byte, after @ ..] = rest {
        if !IS_PLAIN[*byte as usize] {
            return false;
        }
        rest = after;
    }
    true
}

#[cold]
fn push_escaped(byte: u8, text: &mut String) {
    // Writing to a `String` cannot fail.
    let _ = write!(text, "%{byte:02X}");
}

#[cfg(test)]
mod tests;
