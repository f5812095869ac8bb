use std::net::{Ipv4Addr, Ipv6Addr};

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// What is resolved, or an IP address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// The host as it stands in the text that keys are routed by.
    canonical_host: String,
}

impl Address {
    const DEFAULT_PORT: u16 = 11211;

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.contains('@') {
            // What lies before it may be a password.
            return Err("a memcached address has an `@`, but memcached is reached without a \
                        user's name or password; write `host`, `host:port` or `[IPv6]:port`"
                .to_owned());
        }
        Self::try_parse(text).map_err(|why| {
            format!("memcached address {text:?}: {why}; write `host`, `host:port` or `[IPv6]:port`")
        })
    }

    fn try_parse(text: &str) -> Result<Self, &'static str> {
        let (host, port, is_bracketed) = match text.strip_prefix('[') {
            Some(rest) => match rest.split_once(']') {
                Some((host, "")) => (host, None, true),
                Some((host, rest)) if rest.starts_with(':') => (host, rest.get(1..), true),
                _ => return Err("the bracket is not closed, or more than a port follows it"),
            },
            None => match text.split_once(':') {
                Some((_, port)) if port.contains(':') => {
                    return Err("an IPv6 address needs brackets, and a URL is not an address");
                }
                Some((host, port)) => (host, Some(port), false),
                None => (text, None, false),
            },
        };
        let port = match port {
            None => Self::DEFAULT_PORT,
            Some(digits) => port_of(digits).ok_or("the port is not a number from 1 to 65535")?,
        };
        let canonical_host = match host {
            "" => return Err("there is no host"),
            _ if is_bracketed => ipv6(host)?,
            _ => name_or_ipv4(host)?,
        };
        Ok(Self { host: host.to_owned(), port, canonical_host })
    }

    /// The same text for every way of writing the same address, since keys are
    /// routed by it. A name is not resolved for it: it may move.
    pub(super) fn canonical(&self) -> String {
        if self.canonical_host.contains(':') {
            format!("[{}]:{}", self.canonical_host, self.port)
        } else {
            format!("{}:{}", self.canonical_host, self.port)
        }
    }
}

fn port_of(digits: &str) -> Option<u16> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| is_number && *port != 0)
}

/// The shortest spelling (RFC 5952); of an IPv4 address in an IPv6 one, which is
/// reached as the former, that one. A zone is the host's own name for a network.
fn ipv6(host: &str) -> Result<String, &'static str> {
    let (address, zone) = match host.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (host, None),
    };
    let address: Ipv6Addr =
        address.parse().map_err(|_| "what stands in brackets is not an IPv6 address")?;
    match (zone, address.to_ipv4_mapped()) {
        (None, Some(mapped)) => Ok(mapped.to_string()),
        (None, None) => Ok(address.to_string()),
        (Some(zone), _) if zone.is_empty() || !zone.bytes().all(is_plain) => {
            Err("the zone after the `%` has a character that zones do not have, or is empty")
        }
        (Some(zone), _) => Ok(format!("{address}%{zone}")),
    }
}

/// A name in lower case and without the dot that it may end with; an IPv4 address as
/// it is.
fn name_or_ipv4(host: &str) -> Result<String, &'static str> {
    if !host.bytes().all(is_plain) {
        return Err("the host has a character that host names do not have");
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    if name.split('.').any(str::is_empty) {
        return Err("the host has an empty part");
    }
    // Resolvers take `127.1`, `0x7f000001` and `010.0.0.1` for addresses, the last for
    // 8.0.0.1: whatever looks like one must be one in its usual form.
    let last = name.rsplit('.').next().unwrap_or(name);
    let is_hexadecimal = last.len() > 2
        && last.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("0x"))
        && last.bytes().skip(2).all(|byte| byte.is_ascii_hexdigit());
    if is_hexadecimal || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return match name.parse::<Ipv4Addr>() {
            Ok(address) if name == host => Ok(address.to_string()),
            _ => Err("an IPv4 address is four numbers up to 255, without leading zeros"),
        };
    }
    Ok(name.to_ascii_lowercase())
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-_".contains(&byte)
}
