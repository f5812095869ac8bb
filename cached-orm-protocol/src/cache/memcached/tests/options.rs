use super::super::{MemcachedOptions, options::addresses, router::Router, seconds};
use std::time::Duration;

fn parsed(text: &str) -> Result<String, String> {
    let options = MemcachedOptions { servers: vec![text.to_owned()], ..Default::default() };
    addresses(&options).map(|addresses| addresses[0].canonical())
}

#[test]
fn addresses_have_one_canonical_form() {
    for (text, canonical) in [
        ("cache", "cache:11211"),
        ("Cache.Example:11211", "cache.example:11211"),
        ("10.0.0.1:7", "10.0.0.1:7"),
        ("[::1]", "[::1]:11211"),
        ("[::1]:7", "[::1]:7"),
        ("Localhost", "localhost:11211"),
        ("localhost.", "localhost:11211"),
        ("LOCALHOST.:011211", "localhost:11211"),
        ("cache.example.:7", "cache.example:7"),
        ("10.0.0.1:0007", "10.0.0.1:7"),
        ("[0:0:0:0:0:0:0:1]", "[::1]:11211"),
        ("[0000::0001]:11211", "[::1]:11211"),
        ("[2001:DB8:0:0::A]", "[2001:db8::a]:11211"),
        ("[::ffff:10.0.0.1]:7", "10.0.0.1:7"),
        ("[::FFFF:a00:1]", "10.0.0.1:11211"),
        ("[FE80:0::1%eth0]", "[fe80::1%eth0]:11211"),
        ("[fe80::1%Eth0]", "[fe80::1%Eth0]:11211"),
        ("1cache", "1cache:11211"),
        ("cache1", "cache1:11211"),
        ("10.cache", "10.cache:11211"),
        ("0xcache", "0xcache:11211"),
    ] {
        assert_eq!(parsed(text).unwrap(), canonical, "{text}");
        assert_eq!(parsed(canonical).unwrap(), canonical, "{text}");
    }
}

/// Resolvers read some of these, in more than one way.
#[test]
fn an_address_in_an_unusual_form_is_refused() {
    for (text, words) in [
        ("127.1", "four numbers"),
        ("2130706433", "four numbers"),
        ("0x7f000001", "four numbers"),
        ("0x7f.0.0.0X1", "four numbers"),
        ("010.0.0.1", "without leading zeros"),
        ("10.0.0.001:7", "without leading zeros"),
        ("10.0.0.256", "four numbers"),
        ("10.0.0.1.", "four numbers"),
        ("[10.0.0.1]", "not an IPv6 address"),
        ("[cache]", "not an IPv6 address"),
        ("[::1%]", "zone"),
        ("[::1%a b]", "zone"),
        ("cache..", "an empty part"),
        (".cache", "an empty part"),
        ("a..b", "an empty part"),
        (".", "an empty part"),
        ("cache:+7", "the port is not a number"),
        ("fe80::1%eth0", "needs brackets"),
        ("cache%1", "a character that host names do not have"),
    ] {
        let error = parsed(text).unwrap_err();
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn wrong_addresses_are_refused_in_words() {
    for (text, words) in [
        ("", "there is no host"),
        (":11211", "there is no host"),
        ("cache:", "the port is not a number"),
        ("cache:0", "the port is not a number"),
        ("cache:65536", "the port is not a number"),
        ("cache:+1x", "the port is not a number"),
        ("::1", "needs brackets"),
        ("memcache://cache:11211", "a URL is not an address"),
        ("[::1", "the bracket is not closed"),
        ("[::1]7", "the bracket is not closed"),
        ("a b", "a character that host names do not have"),
    ] {
        let error = parsed(text).unwrap_err();
        assert!(error.contains(words), "{text}: {error}");
        assert!(error.contains("write `host`, `host:port`"), "{text}: {error}");
    }
}

#[test]
fn options_that_cannot_work_are_refused() {
    let refused = |change: fn(&mut MemcachedOptions), words: &str| {
        let mut options = MemcachedOptions::default();
        change(&mut options);
        let error = addresses(&options).unwrap_err();
        assert!(error.contains(words), "{error}");
    };
    refused(|options| options.servers.clear(), "at least one");
    refused(|options| options.connections = Some(0), "at least 1");
    refused(|options| options.queue = 0, "at least 1");
    refused(|options| options.timeout = Duration::ZERO, "must be longer");
    refused(|options| options.timeout = Duration::MAX, "must be shorter");
    refused(|options| options.servers = vec!["a".into(), "A.:11211".into()], "it is a:11211");
    refused(|options| options.servers = vec!["[::1]".into(), "[0::1]".into()], "given twice");
}

#[test]
fn ttls_are_whole_seconds_and_never_for_ever() {
    for (ttl, sent) in [
        (Duration::ZERO, 1),
        (Duration::from_nanos(1), 1),
        (Duration::from_secs(1), 1),
        (Duration::from_millis(1001), 2),
        (Duration::from_secs(2_592_000), 2_592_000),
        (Duration::from_secs(2_592_001), 2_592_000),
        (Duration::MAX, 2_592_000),
    ] {
        assert_eq!(seconds(ttl), sent, "{ttl:?}");
    }
}

fn routes(addresses: &[&str]) -> Vec<String> {
    let router = Router::new(addresses.iter().copied());
    let to = |n: u32| addresses[router.route(n.to_string().as_bytes())].to_owned();
    (0..3000).map(to).collect()
}

#[test]
fn routing_is_fair_and_ignores_the_order_of_servers() {
    let routed = routes(&["a:1", "b:1", "c:1"]);
    assert_eq!(routed, routes(&["c:1", "a:1", "b:1"]));
    for server in ["a:1", "b:1", "c:1"] {
        let share = routed.iter().filter(|to| *to == server).count();
        assert!((850..1150).contains(&share), "{server} has {share} of 3000 keys");
    }
}

#[test]
fn routing_moves_only_the_keys_of_a_server_that_leaves() {
    let before = routes(&["a:1", "b:1", "c:1"]);
    let after = routes(&["a:1", "b:1"]);
    assert!(before.iter().zip(&after).all(|(old, new)| old == new || old == "c:1"));
}

/// Processes of different releases must agree.
#[test]
fn routing_stays_as_it_is() {
    let router = Router::new(["a:1", "b:1", "c:1"]);
    let routed: Vec<usize> = (0..12).map(|n: u32| router.route(&n.to_le_bytes())).collect();
    assert_eq!(routed, [0, 2, 1, 2, 0, 0, 0, 2, 0, 2, 2, 2]);
}

#[test]
fn several_servers_have_a_connection_each_unless_more_are_wanted() {
    let mut options = MemcachedOptions::default();
    assert_eq!([1, 2, 16].map(|servers| options.connections_to_each(servers)), [2, 1, 1]);
    options.connections = Some(3);
    assert_eq!([1, 16].map(|servers| options.connections_to_each(servers)), [3, 3]);
}
