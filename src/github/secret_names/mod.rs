//! Are the required secrets there in every environment? By name only: no value can be asked for.
//!
//! What a run is given shows one environment, its own. This looks ahead to the others, for a token that
//! may list names; GITHUB_TOKEN never may, because no permission for it exists.

mod ask;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Check, CheckDefinition, EnvironmentName, Finding};
use crate::settings::{Environment, Settings};

use super::{Client, GithubError};

pub const DEFINITION: CheckDefinition = CheckDefinition {
    id: "secrets.github",
    title: "the required secrets exist in every GitHub environment",
};

/// Every check of this area.
pub const CHECKS: &[CheckDefinition] = &[DEFINITION];

/// What GitHub knows, by name. Names are kept in upper case, as GitHub keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Of the repository, and of the organization where they are shared with it.
    everywhere: BTreeSet<String>,
    /// None: GitHub has no such environment.
    environments: BTreeMap<EnvironmentName, Option<BTreeSet<String>>>,
    /// Lists that the token may not see: a name that is missing may be in one of them.
    unseen: Vec<&'static str>,
}

/// What one environment lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    pub environment: EnvironmentName,
    /// As GitHub calls it.
    pub github_environment: String,
    pub exists: bool,
    pub names: Vec<String>,
}

/// Never fails for want of an answer: then it is a note, since the run itself sees what it was given.
pub async fn check(client: &Client, settings: &Settings) -> Check {
    let findings = match ask::known(client, settings).await {
        Ok(known) => findings(&lacking(settings, &known), &known.unseen),
        Err(error) => vec![not_asked(&error)],
    };
    Check::answered(&DEFINITION, findings)
}

/// The environments that lack something, in the order of promotion.
pub fn lacking(settings: &Settings, known: &Known) -> Vec<Lacking> {
    let of = |environment: &Environment| {
        let theirs = known.environments.get(&environment.name).and_then(Option::as_ref);
        let there = |name: &String| {
            let name = name.to_ascii_uppercase();
            known.everywhere.contains(&name) || theirs.is_some_and(|names| names.contains(&name))
        };
        Lacking {
            environment: environment.name.clone(),
            github_environment: github_name(environment).to_owned(),
            exists: theirs.is_some(),
            names: required(settings, environment)
                .into_iter()
                .filter(|name| !there(name))
                .collect(),
        }
    };
    let all = settings.environments.iter().map(of);
    all.filter(|lacking| !lacking.names.is_empty()).collect()
}

/// What may not be absent.
fn required(settings: &Settings, environment: &Environment) -> BTreeSet<String> {
    let optional = settings.secrets.iter().filter(|rule| rule.optional);
    let optional: BTreeSet<String> = optional.map(|rule| rule.name_in(&environment.name)).collect();
    let urls: BTreeSet<&str> = environment.url_names().map(|name| name.as_str()).collect();
    let mut names = settings.secret_names(environment);
    names.retain(|name| !optional.contains(name) || urls.contains(name.as_str()));
    names
}

fn github_name(environment: &Environment) -> &str {
    let own = environment.github_environment.as_deref();
    own.unwrap_or_else(|| environment.name.as_str())
}

fn findings(lacking: &[Lacking], unseen: &[&str]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = lacking
        .iter()
        .flat_map(|one| of_environment(one, unseen))
        .collect();
    if !unseen.is_empty() {
        findings.push(Finding::note(format!(
            "the token may not list {}",
            unseen.join(" and ")
        )));
    }
    findings
}

fn of_environment(lacking: &Lacking, unseen: &[&str]) -> Vec<Finding> {
    let Lacking {
        environment,
        github_environment,
        exists,
        names,
    } = lacking;
    if !exists {
        let message = format!(
            "GitHub has no environment `{github_environment}` for {environment}, and the repository itself \
             does not have {}",
            names.join(", ")
        );
        let hint = "add it under Settings > Environments, or name the right one as `github_environment` in \
                    the config";
        return vec![said(message, unseen).hint(hint)];
    }
    let one = |name: &String| {
        let message =
            format!("{name} is not in the GitHub environment `{github_environment}` ({environment})");
        said(message, unseen).hint(format!(
            "add it under Settings > Environments > {github_environment}; where the workflow passes another \
             secret under this name, make that one the name"
        ))
    };
    names.iter().map(one).collect()
}

/// What may be in a list that was not seen is no error.
fn said(message: String, unseen: &[&str]) -> Finding {
    if unseen.is_empty() {
        Finding::error(message)
    } else {
        Finding::warning(message)
    }
}

fn not_asked(error: &GithubError) -> Finding {
    let hint = "a fine-grained or App token with Environments: read, Secrets: read and Variables: read may; \
                GITHUB_TOKEN never may";
    match error.status() {
        Some(401 | 403 | 404) => {
            Finding::warning("the names of secrets were not asked for: the token may not list them")
                .hint(hint)
        }
        _ => Finding::warning(format!("the names of secrets could not be asked for: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lack(exists: bool) -> Lacking {
        Lacking {
            environment: EnvironmentName::parse("prod").expect("a good name"),
            github_environment: "Bob's prod".to_owned(),
            exists,
            names: vec!["PROD_DB_URL".to_owned(), "PROD_SECRET_KEY".to_owned()],
        }
    }

    #[test]
    fn each_missing_name_is_an_error_where_all_was_seen() {
        let check = Check::answered(&DEFINITION, findings(&[lack(true)], &[]));
        assert!(check.blocks());
        assert_eq!(check.findings.len(), 2);
        assert_eq!(
            check.findings[0].message,
            "PROD_DB_URL is not in the GitHub environment `Bob's prod` (prod)"
        );
        let check = Check::answered(&DEFINITION, findings(&[lack(false)], &[]));
        assert_eq!(check.findings.len(), 1, "{:?}", check.findings);
    }

    #[test]
    fn what_may_be_where_nobody_looked_is_a_warning() {
        let check = Check::answered(&DEFINITION, findings(&[lack(true)], &["variables"]));
        assert!(!check.blocks());
        assert_eq!(check.findings[2].message, "the token may not list variables");
        assert!(
            Check::answered(&DEFINITION, findings(&[], &[]))
                .findings
                .is_empty()
        );
    }
}
