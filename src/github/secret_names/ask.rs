//! Asking GitHub for the names.

use std::collections::BTreeSet;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::github::{Client, GithubError};
use crate::settings::Settings;

use super::{Known, github_name};

/// GitHub gives at most 30 variables a page, so all lists are asked for in 30s.
const PAGE: usize = 30;
/// An environment holds at most 100 secrets and 100 variables, a repository 100 and 500, and as many
/// again come from the organization.
const PAGES: usize = 40;

/// The environments' own secrets must be seen. What else the token may not list is told in `unseen`.
pub(super) async fn known(client: &Client, settings: &Settings) -> Result<Known, GithubError> {
    let mut known = Known::default();
    for environment in &settings.environments {
        // The name may hold slashes and spaces.
        let name = utf8_percent_encode(github_name(environment), NON_ALPHANUMERIC);
        let secrets = names(client, &format!("/environments/{name}/secrets"), "secrets").await;
        let names = match secrets {
            Err(error) if error.status() == Some(404) => None,
            Err(error) => return Err(error),
            Ok(mut all) => {
                let route = format!("/environments/{name}/variables");
                all.extend(seen(client, &mut known, &route, "variables").await?);
                Some(all)
            }
        };
        known.environments.insert(environment.name.clone(), names);
    }
    for (route, key) in [
        ("/actions/secrets", "secrets"),
        ("/actions/organization-secrets", "secrets"),
        ("/actions/variables", "variables"),
        ("/actions/organization-variables", "variables"),
    ] {
        let more = seen(client, &mut known, route, key).await?;
        known.everywhere.extend(more);
    }
    Ok(known)
}

/// As [`names`]; what may not be asked is remembered, once.
async fn seen(
    client: &Client,
    known: &mut Known,
    route: &str,
    key: &str,
) -> Result<BTreeSet<String>, GithubError> {
    match names(client, route, key).await {
        Err(error) if matches!(error.status(), Some(403 | 404)) => {
            let what = match (route.contains("organization"), key) {
                // A person's repository has no organization.
                (true, _) if error.status() == Some(404) => return Ok(BTreeSet::new()),
                (true, "secrets") => "the organization's secrets",
                (true, _) => "the organization's variables",
                (false, "secrets") => "the repository's secrets",
                (false, _) => "variables",
            };
            if !known.unseen.contains(&what) {
                known.unseen.push(what);
            }
            Ok(BTreeSet::new())
        }
        answer => answer,
    }
}

async fn names(client: &Client, route: &str, key: &str) -> Result<BTreeSet<String>, GithubError> {
    let mut names = BTreeSet::new();
    for page in 1..=PAGES {
        let route = client.repo(&format!("{route}?per_page={PAGE}&page={page}"));
        let answer = client.get(&route).await?;
        let Some(Value::Array(listed)) = answer.get(key) else {
            return Err(GithubError::Unreadable {
                method: "GET",
                route,
                message: format!("the answer has no list of {key}"),
            });
        };
        let listed_names = listed.iter().filter_map(|one| one.get("name")?.as_str());
        names.extend(listed_names.map(str::to_ascii_uppercase));
        if listed.len() < PAGE {
            break;
        }
    }
    Ok(names)
}
