//! Takes the text after `scheme://` apart, and refuses what has two readings.

use super::checks::{ENCODING, PARAMETER, Problems, UNENCODED_PASSWORD};
use super::percent::{self, Fault};
use super::placeholder;
use crate::domain::Secret;

/// The pieces as written.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    /// `user:password`.
    pub(super) userinfo: Option<&'a str>,
    /// `host:port,host:port`.
    pub(super) hosts: &'a str,
    /// Without the slash before it.
    pub(super) path: &'a str,
    /// Without the question mark.
    pub(super) query: &'a str,
}

/// Splits at the same places as RFC 3986, which are libpq's as long as no separator stands raw
/// where it should be encoded; those are refused here.
pub(super) fn split<'a>(rest: &'a str, jdbc: bool, problems: &mut Problems) -> Option<Parts<'a>> {
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
    // JDBC's user and password are parameters: an `@` there is no second reading.
    let structure = if jdbc && before_query.contains('/') {
        before_query
    } else {
        rest
    };
    if let Some(last) = structure.rfind('@')
        && (last > authority.len() || authority.matches('@').count() > 1)
    {
        separators(authority, &structure[..last], problems);
        return None;
    }
    if placeholder::template(authority, problems) {
        return None;
    }
    if rest.contains('#') {
        problems.add(
            &ENCODING,
            "the URL contains a raw `#`",
            "write `%23`; a database URL has no fragment",
        );
        return None;
    }
    let (userinfo, hosts) = match authority.rsplit_once('@') {
        Some((userinfo, hosts)) => (Some(userinfo), hosts),
        None => (None, authority),
    };
    if jdbc && userinfo.is_some() {
        problems.add(
            &PARAMETER,
            "a JDBC URL carries user and password as parameters, not before the host",
            "write `?user=…&password=…`, or use the `postgresql://` or `mysql://` form",
        );
    }
    // Every slash but the first stays, so that a second one is seen and refused.
    let path = tail.split('?').next().unwrap_or("");
    let path = path.strip_prefix('/').unwrap_or(path);
    Some(Parts {
        userinfo,
        hosts,
        path,
        query,
    })
}

/// A separator stands raw in the user or the password: every parser splits such a URL elsewhere.
fn separators(authority: &str, credentials: &str, problems: &mut Problems) {
    let first_at = authority.find('@');
    let colon = authority.find(':');
    let in_user = authority.matches('@').count() == 2
        && first_at
            .zip(colon)
            .is_some_and(|(at, colon)| at < colon && !credentials.contains('/'));
    if in_user {
        problems.add(
            &UNENCODED_PASSWORD,
            "the user name contains a raw `@`",
            "write it `%40`, as in `user%40server:password@host`, which is how Azure's user names go into a URL",
        );
        return;
    }
    let raw = percent::forbidden_in_userinfo(credentials);
    if authority.matches('@').count() == 1 && credentials.contains('?') {
        let mut behind = raw;
        behind.insert('@');
        problems.add(
            &UNENCODED_PASSWORD,
            "an `@` stands raw behind the `?`: in a parameter, or in a password with a raw `/` or `?`",
            format!("percent-encode it: {}", percent::encodings(&behind)),
        );
        return;
    }
    let names = percent::names(&raw);
    let hint = format!("percent-encode it: {}", percent::encodings(&raw));
    problems.add(
        &UNENCODED_PASSWORD,
        format!("the password (or the user name) contains a raw {names}"),
        hint,
    );
}

/// User and password, decoded.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    /// The password as written.
    pub(super) encoded: Option<Secret>,
}

/// Reads `user:password`; an empty one counts as not given, as in libpq.
pub(super) fn credentials(userinfo: &str, problems: &mut Problems, notes: &mut Vec<String>) -> Credentials {
    let (user, password) = match userinfo.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (userinfo, None),
    };
    let mut read = Credentials::default();
    if !user.is_empty() {
        read.user = decode(user, "user name", problems, notes);
    }
    if let Some(password) = password.filter(|password| !password.is_empty()) {
        placeholder::password(password, problems);
        if password.contains('+') {
            notes.push(
                "a `+` in the password is taken literally, not as a space; `%2B` says so to every reader"
                    .into(),
            );
        }
        read.encoded = Some(Secret::new(password));
        read.password = decode(password, "password", problems, notes).map(Secret::new);
    }
    read
}

fn decode(text: &str, part: &str, problems: &mut Problems, notes: &mut Vec<String>) -> Option<String> {
    let forbidden = percent::forbidden_in_userinfo(text);
    if !forbidden.is_empty() {
        problems.add(
            &UNENCODED_PASSWORD,
            format!("the {part} contains a raw {}", percent::names(&forbidden)),
            format!("percent-encode it: {}", percent::encodings(&forbidden)),
        );
    }
    let tolerated = percent::tolerated(text);
    if !tolerated.is_empty() {
        notes.push(format!(
            "the {part} contains characters that stricter readers refuse, such as Go's; encode them: {}",
            percent::encodings(&tolerated)
        ));
    }
    if !text.is_ascii() {
        notes.push(format!(
            "the {part} contains a character outside ASCII, taken as UTF-8; stricter readers want it percent-encoded"
        ));
    }
    match percent::decode(text) {
        Ok(decoded) => Some(decoded),
        // Said above, as a raw character.
        Err(Fault::Percent) => None,
        Err(fault) => {
            let (message, hint) = fault.describe(&format!("the {part}"));
            problems.add(&ENCODING, message, hint);
            None
        }
    }
}
