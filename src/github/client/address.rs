//! Where GitHub is, and what belongs to it.

use std::fmt;

use url::{Host, Url};

use super::{GRAPHQL, GithubError};

/// The API's base URL: `https://api.github.com`, or `https://host/api/v3` of a GitHub Enterprise Server.
/// Plain HTTP only to this machine: the token would be readable on the way.
pub(super) struct Address(Url);

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, GithubError> {
        let wrong = |why: &str| GithubError::Misconfigured {
            message: format!("GITHUB_API_URL {why}"),
        };
        let url = Url::parse(text.trim()).map_err(|error| wrong(&format!("is not a URL: {error}")))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("holds a user or password; a token is given apart from it"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("has a query or a fragment; it is a base URL"));
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => {
                return Err(wrong(&format!(
                    "is http://{host}…: the token would be sent unencrypted; only https:// is allowed"
                )));
            }
            other => return Err(wrong(&format!("begins with {other}:; only https:// is allowed"))),
        }
        Ok(Self(url))
    }

    pub(super) fn is_this_machine(&self) -> bool {
        is_loopback(&self.0)
    }

    /// `api.github.com`, with the port where it is not the usual one.
    pub(super) fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        match self.0.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    pub(super) fn join(&self, route: &str) -> String {
        let base = self.to_string();
        // An Enterprise Server has GraphQL at /api/graphql and REST at /api/v3.
        let base = match route {
            GRAPHQL => base.strip_suffix("/v3").unwrap_or(&base),
            _ => &base,
        };
        format!("{base}{route}")
    }

    /// A redirect's target, where it is on GitHub's own host.
    pub(super) fn same_host(&self, from: &str, location: &str) -> Option<String> {
        let target = Url::parse(from).ok()?.join(location).ok()?;
        let bare = target.username().is_empty() && target.password().is_none();
        (target.origin() == self.0.origin() && bare).then(|| target.to_string())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// It becomes part of every route.
pub(super) fn check_repository(repository: &str) -> Result<(), GithubError> {
    let is_name = |name: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !name.is_empty() && name.chars().all(allowed) && !name.chars().all(|c| c == '.')
    };
    match repository.split_once('/') {
        Some((owner, name)) if is_name(owner) && is_name(name) => Ok(()),
        _ => Err(GithubError::Misconfigured {
            message: "GITHUB_REPOSITORY is not of the form owner/name".to_owned(),
        }),
    }
}
