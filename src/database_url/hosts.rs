//! Hosts and ports, in the authority or in the parameters `host` and `port`.

use std::net::Ipv6Addr;
use std::path::PathBuf;

use super::checks::{HOST, PORT, Problems};
use super::{Address, EngineKind, percent};

/// One server before its port is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Server {
    Tcp(String),
    Socket(PathBuf),
}

/// Reads `host:port,host:port`; nothing where a problem was found, an empty list for an empty text.
pub(super) fn in_authority(
    text: &str,
    kind: EngineKind,
    problems: &mut Problems,
) -> Option<Vec<(Option<Server>, Option<u16>)>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let several = text.contains(',');
    let mut entries = Vec::new();
    let mut sound = true;
    for entry in text.split(',') {
        match one_of(entry, several, kind, problems) {
            Some(entry) => entries.push(entry),
            None => sound = false,
        }
    }
    sound.then_some(entries)
}

fn one_of(
    entry: &str,
    several: bool,
    kind: EngineKind,
    problems: &mut Problems,
) -> Option<(Option<Server>, Option<u16>)> {
    let (host, port) = split_port(entry, problems)?;
    let number = match port {
        Some(digits) => port_number(digits, problems).map(Some),
        None => Some(None),
    };
    if host.is_empty() && several {
        problems.add(
            &HOST,
            "the list of hosts has an empty place",
            "remove the extra comma",
        );
        return None;
    }
    // `:5432` alone: the host may still come as a parameter.
    let server = if host.is_empty() {
        None
    } else {
        Some(host_of(host, kind, problems)?)
    };
    Some((server, number?))
}

/// Reads the decoded parameter `host`: names, addresses without brackets, folders of sockets.
pub(super) fn in_parameter(text: &str, problems: &mut Problems) -> Vec<Server> {
    let one = |entry: &str| {
        if entry.starts_with('/') {
            Some(Server::Socket(PathBuf::from(entry)))
        } else if entry.parse::<Ipv6Addr>().is_ok() {
            Some(Server::Tcp(entry.to_owned()))
        } else {
            name(entry, problems)
        }
    };
    text.split(',').filter_map(one).collect()
}

/// Reads the decoded parameter `port`.
pub(super) fn ports_in_parameter(text: &str, problems: &mut Problems) -> Vec<u16> {
    text.split(',')
        .filter_map(|port| port_number(port, problems))
        .collect()
}

/// Joins servers and ports as libpq does: no port is the default one, one port is for all.
pub(super) fn join(
    servers: Vec<Server>,
    ports: &[Option<u16>],
    default: u16,
    problems: &mut Problems,
) -> Vec<Address> {
    if ports.len() > 1 && ports.len() != servers.len() {
        problems.add(
            &PORT,
            "there are more or fewer ports than hosts",
            "give one port for all hosts, or one for each",
        );
        return Vec::new();
    }
    let port_of = |index: usize| match ports {
        [one] => one.unwrap_or(default),
        _ => ports.get(index).copied().flatten().unwrap_or(default),
    };
    let join = |(index, server)| match server {
        Server::Tcp(host) => Address::Tcp {
            host,
            port: port_of(index),
        },
        Server::Socket(path) => Address::Socket {
            path,
            port: port_of(index),
        },
    };
    servers.into_iter().enumerate().map(join).collect()
}

fn split_port<'a>(entry: &'a str, problems: &mut Problems) -> Option<(&'a str, Option<&'a str>)> {
    if let Some(inside) = entry.strip_prefix('[') {
        let Some(end) = inside.find(']') else {
            problems.add(
                &HOST,
                "a `[` before the host has no `]`",
                "an IPv6 address is written `[::1]`, its port `[::1]:5432`",
            );
            return None;
        };
        let (host, after) = (&entry[..end + 2], &inside[end + 1..]);
        return match after.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None if after.is_empty() => Some((host, None)),
            None => {
                problems.add(
                    &HOST,
                    "something stands between the `]` of the host and the port",
                    "an IPv6 address with its port is written `[::1]:5432`",
                );
                None
            }
        };
    }
    match entry.split_once(':') {
        None => Some((entry, None)),
        Some((_, rest)) if rest.contains(':') => {
            problems.add(
                &HOST,
                "the host contains more than one `:`",
                "an IPv6 address stands in brackets, `[::1]:5432`; hosts are separated by commas",
            );
            None
        }
        Some((host, port)) => Some((host, Some(port))),
    }
}

fn port_number(digits: &str, problems: &mut Problems) -> Option<u16> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    let number = if plain { digits.parse().ok() } else { None };
    if number.is_none() {
        let message = if digits.is_empty() {
            "nothing follows the `:` after the host"
        } else {
            "the port is not a number from 1 to 65535"
        };
        problems.add(
            &PORT,
            message,
            "write a number, or leave the port and its `:` out; a `:` or `/` of a password is encoded: `%3A`, `%2F`",
        );
    }
    number
}

fn host_of(text: &str, kind: EngineKind, problems: &mut Problems) -> Option<Server> {
    if let Some(address) = text.strip_prefix('[') {
        let address = address.trim_end_matches(']');
        if address.parse::<Ipv6Addr>().is_err() {
            problems.add(
                &HOST,
                "what stands in brackets is not an IPv6 address",
                "write it like `[2001:db8::1]`; a zone (`%eth0`) cannot be given",
            );
            return None;
        }
        return Some(Server::Tcp(address.to_owned()));
    }
    let socket = text
        .get(..3)
        .is_some_and(|start| start.eq_ignore_ascii_case("%2F"));
    if socket && kind == EngineKind::Postgres {
        let path = percent::decode_part(text, "the socket's folder", problems)?;
        if path.contains(',') {
            problems.add(
                &HOST,
                "the socket's folder contains a comma, which libpq reads as two hosts",
                "use a folder without a comma",
            );
            return None;
        }
        return Some(Server::Socket(PathBuf::from(path)));
    }
    name(text, problems)
}

fn name(text: &str, problems: &mut Problems) -> Option<Server> {
    let hint = if text.is_empty() {
        "a host is missing in the list"
    } else if text.contains('%') {
        "write the host without percent-encoding; only the folder of a PostgreSQL socket has it: `%2Fvar%2Frun%2Fpostgresql`"
    } else if !text.is_ascii() {
        "write a name outside ASCII in its `xn--` form"
    } else if !text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    {
        "a host is letters, digits, `-`, `_` and `.`"
    } else if text.starts_with(['.', '-']) || text.contains("..") {
        "a host does not begin with `.` or `-`, and has no two dots in a row"
    } else {
        return Some(Server::Tcp(text.to_owned()));
    };
    problems.add(&HOST, "the host is not a name or an address", hint);
    None
}
