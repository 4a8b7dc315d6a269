//! Why GitHub did not do what it was asked, and what to do about it.

use std::time::Duration;

use super::Request;
use super::address::Address;
use super::answer::one_line;
use super::transport::Failure;

/// Why GitHub did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum GithubError {
    #[error("there is no token for GitHub")]
    NoToken,
    /// A variable of the job's is wrong: nothing was sent.
    #[error("{message}")]
    Misconfigured { message: String },
    #[error("GitHub answered {status} to {method} {route}: {message}")]
    Refused {
        method: &'static str,
        route: String,
        status: u16,
        message: String,
        /// `X-Accepted-GitHub-Permissions`: what the token would need.
        permissions: Option<String>,
    },
    #[error("GitHub's rate limit refused {method} {route} ({status}): {message}")]
    RateLimited {
        method: &'static str,
        route: String,
        status: u16,
        message: String,
        /// How long it wants to be left alone, where it says so.
        wait: Option<Duration>,
    },
    /// Nothing was sent.
    #[error("GitHub was not reached at {host} ({method} {route}): {message}")]
    Unreached {
        method: &'static str,
        route: String,
        host: String,
        message: String,
    },
    #[error("GitHub could not be asked ({method} {route}): {message}")]
    Unanswered {
        method: &'static str,
        route: String,
        message: String,
    },
    /// It said yes, in words that cannot be used.
    #[error("GitHub's answer to {method} {route} cannot be used: {message}")]
    Unreadable {
        method: &'static str,
        route: String,
        message: String,
    },
    #[error("GitHub sent {method} {route} elsewhere: {message}")]
    Redirected {
        method: &'static str,
        route: String,
        message: String,
    },
}

impl GithubError {
    /// The answer's status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } | Self::RateLimited { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// It may have been done all the same: to be looked at before it is tried again.
    pub fn is_ambiguous(&self) -> bool {
        match self {
            Self::Unanswered { method, .. } | Self::Unreadable { method, .. } => *method != "GET",
            Self::Refused { method, status, .. } => *method != "GET" && *status >= 500,
            _ => false,
        }
    }

    /// Sending it once more can do no harm, and may do good.
    pub(super) fn may_be_repeated(&self) -> bool {
        match self {
            Self::Unreached { .. } => true,
            Self::Unanswered { method, .. } => *method != "POST",
            Self::Refused { method, status, .. } => {
                *method != "POST" && matches!(status, 408 | 500 | 502 | 503 | 504)
            }
            _ => false,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoToken => "give the action `github-token`, or the step GITHUB_TOKEN in its `env`".to_owned(),
            Self::Misconfigured { .. } => return None,
            Self::Refused { status: 401, .. } => {
                "the token is wrong, expired or revoked: give the action `github-token: ${{ github.token }}`, \
                 or a new one"
                    .to_owned()
            }
            Self::Refused {
                status: 403,
                message,
                permissions,
                ..
            } => forbidden(message, permissions.as_deref()),
            Self::Refused { status: 404 | 410, .. } => {
                "it does not exist, or the token may not see it: GitHub says the same to both".to_owned()
            }
            Self::Refused { status: 409, .. } => "something else changed it meanwhile: run again".to_owned(),
            Self::Refused { status: 422, message, .. } if message.contains("No commit found") => {
                "the commit is not in this repository: push it first, or run where it is checked out".to_owned()
            }
            Self::Refused { status: 422, .. } => {
                "GitHub does not accept what was sent; if its message is no help, please report this".to_owned()
            }
            Self::Refused { status: 500.., .. } | Self::Unanswered { .. } => {
                "run again; whether GitHub is well is at https://www.githubstatus.com".to_owned()
            }
            Self::Refused { .. } => return None,
            Self::RateLimited { .. } => {
                "run again later, with fewer jobs at a time, or with an App's token, which has a limit of its own"
                    .to_owned()
            }
            Self::Unreached { message, .. } => unreached(message),
            Self::Unreadable { .. } => {
                "something between may answer in GitHub's place (a proxy, a login page), or GITHUB_API_URL is not \
                 the API's base: https://api.github.com, or https://HOST/api/v3 of an Enterprise Server"
                    .to_owned()
            }
            Self::Redirected { .. } => {
                "a repository that was renamed or moved keeps its old name in running workflows: run again from \
                 the new one, or set GITHUB_API_URL to where the API is"
                    .to_owned()
            }
        };
        Some(hint)
    }
}

impl Failure {
    pub(super) fn into_error(self, request: Request<'_>, address: &Address) -> GithubError {
        let (method, route) = (request.method, request.route.to_owned());
        match self {
            Self::Unreached(message) => GithubError::Unreached {
                method,
                route,
                host: address.host(),
                message: one_line(&message),
            },
            Self::Lost(message) => GithubError::Unanswered {
                method,
                route,
                message: one_line(&message),
            },
        }
    }
}

/// A redirect that is not followed; only its host is told, a URL may hold more than it should.
pub(super) fn redirected(request: Request<'_>, location: &str, same_host: bool) -> GithubError {
    let message = if !same_host {
        let host = url::Url::parse(location)
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned));
        let host = host.unwrap_or_else(|| "a place that is no URL".to_owned());
        format!("to {}, where the token must not go", one_line(&host))
    } else if request.method == "GET" {
        "again and again".to_owned()
    } else {
        format!("a {} is not sent to another place than was meant", request.method)
    };
    GithubError::Redirected {
        method: request.method,
        route: request.route.to_owned(),
        message,
    }
}

fn unreached(message: &str) -> String {
    if message.to_ascii_lowercase().contains("certificate") {
        return "the host's certificate must be signed by an authority in the system's store; SSL_CERT_FILE names \
                another file of authorities"
            .to_owned();
    }
    if message.contains("tunnel") {
        return "the proxy of HTTPS_PROXY or ALL_PROXY did not let it through: check its URL, user and password, or \
                name GitHub's host in NO_PROXY"
            .to_owned();
    }
    "check that this machine reaches the host; from a closed network, name a proxy in HTTPS_PROXY".to_owned()
}

/// The keys of `permissions:` in a workflow. <https://docs.github.com/actions/reference/workflow-syntax>
const JOB_PERMISSIONS: [&str; 10] = [
    "actions",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "issues",
    "packages",
    "pages",
    "pull-requests",
    "statuses",
];

/// From `issues=write; pull_requests=write`: alternatives, each of one or several with commas.
fn forbidden(message: &str, permissions: Option<&str>) -> String {
    if message.contains("locked") {
        return "the conversation is locked: unlock it, or read the step summary instead".to_owned();
    }
    let Some(permissions) = permissions.filter(|text| text.contains('=')) else {
        return "the token may not do this: a job's `permissions:`, an organisation's rules or SAML sign-on can be \
                the reason"
            .to_owned();
    };
    let alternatives = permissions.split(';').map(|one| {
        let needs = one.split(',').filter_map(|need| need.trim().split_once('='));
        needs
            .map(|(name, level)| (name.replace('_', "-"), level.to_owned()))
            .collect::<Vec<_>>()
    });
    let alternatives: Vec<_> = alternatives.collect();
    let for_jobs = alternatives.iter().filter(|needs| {
        needs
            .iter()
            .all(|(name, _)| JOB_PERMISSIONS.contains(&name.as_str()))
    });
    // Of several, the one that names what this is about.
    let best = for_jobs.max_by_key(|needs| needs.iter().any(|(name, _)| name == "pull-requests"));
    let written = |needs: &Vec<(String, String)>| {
        let needs = needs.iter().map(|(name, level)| format!("{name}: {level}"));
        needs.collect::<Vec<_>>().join(", ")
    };
    match best {
        Some(needs) => {
            let fork = if needs.iter().any(|(_, level)| level == "write") {
                "; a pull request from a fork gets a token that can only read"
            } else {
                ""
            };
            format!("give the job `permissions: {}`{fork}", written(needs))
        }
        None => {
            let needs = alternatives.first().map(written).unwrap_or_default();
            format!("no job's own token can have `{needs}`: use a fine-grained or an App's token that has it")
        }
    }
}
