use super::super::{
    identity::Identity,
    reply::{Parsed, parse},
};
use bytes::BytesMut;
use proptest::prelude::*;
use std::{collections::HashMap, time::Duration};
use tokio::{
    io::{join, sink},
    time::Instant,
};

const HOUR: Duration = Duration::from_secs(3600);

proptest! {
    #[test]
    fn any_bytes_are_a_reply_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(parse(&mut bytes[..].into(), 1000));
    }

    #[test]
    fn any_likely_line_is_a_reply_or_an_error(
        line in "(VA|HD|EN|EX|NF|NS|MN|ME|ERROR|SERVER_ERROR)( [0-9]{1,25}| [cOtWZX]{0,2}-?[0-9]{0,25}){0,4}\r\n(x\r\n)?",
    ) {
        drop(parse(&mut line.as_bytes().into(), 1000));
    }

    /// However a reply is cut into packets, it is read alike, and what follows
    /// it is left alone.
    #[test]
    fn a_reply_is_read_whole_or_not_at_all(
        value in proptest::collection::vec(any::<u8>(), 0..6000),
        opaque in any::<u64>(),
        cut in 0.0..1.0,
    ) {
        let mut wire = format!("VA {} c5 O{opaque} W\r\n", value.len()).into_bytes();
        wire.extend_from_slice(&value);
        wire.extend_from_slice(b"\r\n");
        let end = wire.len();
        let cut = (end as f64 * cut) as usize;
        let mut buffer = BytesMut::from(&wire[..cut]);
        let early = parse(&mut buffer, 6000);
        let Ok(Parsed::Incomplete(needed)) = early else { panic!("{early:?}") };
        prop_assert!(needed > cut && needed <= end);
        buffer.extend_from_slice(&wire[cut..]);
        buffer.extend_from_slice(b"EN O7\r\n");
        let Ok(Parsed::Reply(reply)) = parse(&mut buffer, 6000) else { panic!("no reply") };
        prop_assert_eq!(reply.value.as_deref(), Some(&value[..]));
        prop_assert_eq!((reply.opaque, reply.token), (opaque, Some(5)));
        prop_assert!(reply.won && !reply.lost && !reply.stale);
        prop_assert_eq!(&buffer[..], b"EN O7\r\n");
    }
}

fn identity(changes: &[(&str, &str)]) -> Result<Identity, String> {
    let mut stats: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
    let usual = [
        ("pid", "7"),
        ("uptime", "100"),
        ("time", "1000"),
        ("cas_enabled", "yes"),
        ("item_size_max", "1048576"),
        ("memory_file", "(null)"),
    ];
    for (name, value) in usual.iter().chain(changes) {
        stats.insert(name.as_bytes().to_vec(), value.as_bytes().to_vec());
    }
    stats.retain(|_, value| !value.is_empty());
    Identity::from_stats(&stats).map_err(|error| error.to_string())
}

#[test]
fn a_servers_age_is_never_overstated() {
    let age = |changes: &[(&str, &str)]| identity(changes).unwrap().age(Instant::now());
    assert!(age(&[]) >= Duration::from_secs(97));
    assert!(age(&[]) < Duration::from_secs(98));
    assert!(age(&[("uptime", "2")]) < Duration::from_secs(1));
    // A warm restart goes on with the old uptime.
    assert!(age(&[("memory_file", "/dev/shm/cache")]) < Duration::from_secs(1));
    let absurd = identity(&[("uptime", "18446744073709551615")]).unwrap();
    assert!(absurd.age(Instant::now() + HOUR) > HOUR);
}

#[test]
fn a_server_that_does_not_say_who_it_is_is_not_used() {
    for name in ["pid", "uptime", "time", "item_size_max"] {
        for value in ["", "-1", "x", "99999999999999999999"] {
            let error = identity(&[(name, value)]).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
    }
    assert!(identity(&[("cas_enabled", "no")]).unwrap_err().contains("without CAS"));
}

/// Even if each line has the name of the one before.
#[tokio::test]
async fn statistics_without_end_are_not_read_on() {
    let endless = b"STAT pid 7\r\n".repeat(100_000);
    let mut server = join(&endless[..], sink());
    let mut received = BytesMut::new();
    let error = Identity::learn(&mut server, &mut received).await.unwrap_err();
    assert!(error.to_string().contains("does not answer `stats` like memcached"), "{error}");
    assert!(received.capacity() < 64 << 10);
}

#[test]
fn sizes_do_not_overflow() {
    let identity = identity(&[("item_size_max", "18446744073709551615")]).unwrap();
    assert!(!identity.fits(250, usize::MAX));
    assert!(!identity.fits(250, (64 << 20) + 1));
    assert!(identity.fits(250, 64 << 20));
    assert_eq!(identity.max_value(), 64 << 20);
}
