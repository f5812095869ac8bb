//! A server that breaks the protocol on its first connection, and keeps to it
//! on later ones.

use super::{answered, key, options};
use crate::{
    cache::{CacheError, CacheStore, Lookup, memcached::MemcachedStore},
    key::CacheKey,
};
use std::time::Duration;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

const STATS: &str = "STAT pid 7\r\nSTAT uptime 1000\r\nSTAT time 1000000\r\nEND\r\n";
const SETTINGS: &str =
    "STAT item_size_max 1048576\r\nSTAT cas_enabled yes\r\nSTAT memory_file (null)\r\nEND\r\n";

/// What the first connection answers to the commands that came so far.
pub(super) enum Act {
    Wait,
    Say(String),
    SayAndHangUp(String),
}

/// Where it misbehaves.
pub(super) type Script = fn(&[Get]) -> Act;

pub(super) struct Get {
    pub(super) key: String,
    pub(super) opaque: u64,
}

impl Get {
    fn parse(line: &str) -> Self {
        let mut words = line.split_whitespace();
        assert_eq!(words.next(), Some("mg"), "{line}");
        let key = words.next().unwrap().to_owned();
        let opaque = words.find_map(|word| word.strip_prefix('O')).unwrap();
        Self { key, opaque: opaque.parse().unwrap() }
    }

    /// The right answer.
    pub(super) fn answer(&self) -> String {
        let value = value(&self.key);
        format!("VA {} c5 O{}\r\n{value}\r\n", value.len(), self.opaque)
    }
}

pub(super) fn value(key: &str) -> String {
    format!("the value of {key}")
}

pub(super) async fn start(script: Script) -> MemcachedStore {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut script = Some(script);
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, script.take()));
        }
    });
    let mut one = options(address);
    one.connections = Some(1);
    one.timeout = Duration::from_millis(200);
    MemcachedStore::new(&one).unwrap()
}

async fn serve(stream: TcpStream, script: Option<Script>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut gets = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let act = match (line.trim_end(), script) {
            ("stats", _) => Act::Say(STATS.to_owned()),
            ("stats settings", _) => Act::Say(SETTINGS.to_owned()),
            (get, None) => Act::Say(Get::parse(get).answer()),
            (get, Some(script)) => {
                gets.push(Get::parse(get));
                script(&gets)
            }
        };
        match act {
            Act::Wait => {}
            Act::Say(text) => {
                gets.clear();
                stream.write_all(text.as_bytes()).await.ok()?;
            }
            Act::SayAndHangUp(text) => {
                stream.write_all(text.as_bytes()).await.ok()?;
                return None;
            }
        }
    }
}

fn is_right(key: &CacheKey, found: &Lookup) -> bool {
    matches!(found, Lookup::Item { value: v, .. } if *v == value(key.as_str()))
}

/// Runs two reads into the fault. Neither may get a wrong value; afterwards the
/// store works.
pub(super) async fn survive(script: Script) -> [Result<Lookup, CacheError>; 2] {
    let store = start(script).await;
    let (a, b) = (key("a"), key("b"));
    let begun = Instant::now();
    let (first, second) = tokio::join!(store.get(&a, None), store.get(&b, None));
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    for (key, answer) in [(&a, &first), (&b, &second)] {
        assert!(answer.as_ref().map_or(true, |found| is_right(key, found)), "{answer:?}");
    }
    // Long enough for whatever else the first connection said to arrive.
    sleep(Duration::from_millis(20)).await;
    for key in [&a, &b] {
        let found = answered(&store, key, Duration::from_secs(5)).await;
        assert!(is_right(key, &found), "{found:?}");
    }
    [first, second]
}
