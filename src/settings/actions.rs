//! The GitHub Actions job that this process is a step of.

use crate::domain::Secret;

use super::variables::ProcessEnvironment;

/// What the runner tells a step, as it is: nothing here was asked of GitHub.
///
/// <https://docs.github.com/actions/reference/workflows-and-actions/variables>
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Actions {
    /// `https://api.github.com`, or a GitHub Enterprise Server's `https://host/api/v3`.
    pub api_url: String,
    pub server_url: String,
    /// `owner/name`
    pub repository: String,
    /// The commit that is checked out: of a pull request it is the merge, not the head.
    pub sha: String,
    /// `refs/heads/uat`
    pub git_ref: Option<String>,
    pub event_name: String,
    /// The file with the event's payload.
    pub event_path: Option<String>,
    pub run_id: u64,
    pub run_attempt: u64,
    pub job: Option<String>,
    /// Who began the workflow.
    pub actor: Option<String>,
    /// Who began this attempt of it.
    pub triggering_actor: Option<String>,
    pub token: Option<Secret>,
    /// The file that outputs are appended to.
    pub output: Option<String>,
    pub proxy: Proxy,
}

/// The way out of a closed network. There is none for plain HTTP: see `github::Client`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proxy {
    /// The variable that names the proxy, and its URL, which may hold a password.
    pub url: Option<(&'static str, Secret)>,
    /// Hosts that are reached without it, with commas between them.
    pub except: Option<String>,
}

impl Proxy {
    /// As curl and the runner read them: in capitals or not, the empty value for none.
    pub fn from_environment(process: &ProcessEnvironment) -> Self {
        let get = |name: &'static str| {
            let value = process.variables.get(name)?.expose().trim();
            (!value.is_empty()).then(|| (name, Secret::new(value)))
        };
        let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
        let except = get("NO_PROXY").or_else(|| get("no_proxy"));
        Self {
            url: names.into_iter().find_map(get),
            except: except.map(|(_, hosts)| hosts.expose().to_owned()),
        }
    }
}

/// The first that is set is the token. An action's caller gives the first, everybody else has the second.
pub const TOKEN_VARIABLES: [&str; 2] = ["TENANTGATE_GITHUB_TOKEN", "GITHUB_TOKEN"];

impl Actions {
    /// None where the process environment does not name a repository.
    pub fn from_environment(process: &ProcessEnvironment) -> Option<Self> {
        let get = |name: &str| {
            let value = process.variables.get(name).map(|value| value.expose().to_owned());
            value.filter(|value| !value.is_empty())
        };
        let number = |name: &str| get(name).and_then(|text| text.parse().ok());
        let token = TOKEN_VARIABLES.iter().find_map(|name| get(name));
        Some(Self {
            repository: get("GITHUB_REPOSITORY")?,
            api_url: get("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned()),
            server_url: get("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".to_owned()),
            sha: get("GITHUB_SHA").unwrap_or_default(),
            git_ref: get("GITHUB_REF"),
            event_name: get("GITHUB_EVENT_NAME").unwrap_or_default(),
            event_path: get("GITHUB_EVENT_PATH"),
            run_id: number("GITHUB_RUN_ID").unwrap_or_default(),
            run_attempt: number("GITHUB_RUN_ATTEMPT").unwrap_or(1),
            job: get("GITHUB_JOB"),
            actor: get("GITHUB_ACTOR"),
            triggering_actor: get("GITHUB_TRIGGERING_ACTOR"),
            token: token.map(Secret::new),
            output: get("GITHUB_OUTPUT"),
            proxy: Proxy::from_environment(process),
        })
    }
}
