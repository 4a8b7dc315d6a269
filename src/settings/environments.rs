//! Environments: read, put into the order of promotion, and one of them chosen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::{EnvironmentName, SecretName};

use super::Environment;
use super::config::{Config, DurationText, EnvironmentConfig};
use super::document::Document;
use super::duration::{FORM, parse_duration};
use super::error::{SettingsError, nearest};
use super::isolation::resolve_try_url;
use super::servers::resolve_servers;

/// All environments, predecessors before successors, else by name.
pub(super) fn resolve_environments(
    document: &Document<'_>,
    config: &Config,
    root: &Path,
) -> Result<Vec<Environment>, SettingsError> {
    if config.environments.is_empty() {
        return Err(document.error_in_file("no environment is configured").hint(
            "add one: [environments.dev] with database_url = \"DEV_DB_URL\", the name of the variable that \
             holds the URL",
        ));
    }
    let mut unordered = BTreeMap::new();
    for (name, environment) in &config.environments {
        let environment = resolve_environment(
            document,
            name,
            environment,
            config.isolation.try_url.as_deref(),
            root,
        )?;
        refuse_alike(document, &unordered, &environment)?;
        unordered.insert(environment.name.clone(), environment);
    }
    ordered(document, unordered)
}

fn resolve_environment(
    document: &Document<'_>,
    name: &str,
    config: &EnvironmentConfig,
    try_url: Option<&str>,
    root: &Path,
) -> Result<Environment, SettingsError> {
    let at = |key| ["environments", name, key];
    let parsed = EnvironmentName::parse(name)
        .map_err(|error| document.error_at_key(&["environments", name], error.to_string()))?;
    let duration = |key, text: &Option<DurationText>| resolve_duration(document, &at(key), text.as_ref());
    let soak = duration("soak", &config.soak)?;
    let max_age = duration("max_age", &config.max_age)?;
    let after = resolve_after(document, &parsed, config.after.as_deref())?;
    for (key, value) in [("soak", soak), ("max_age", max_age)] {
        if value.is_some() && after.is_none() {
            let message = format!("`{key}` says nothing without `after`");
            return Err(document
                .error_at_key(&at(key), message)
                .hint("add after = \"…\", the environment that must have passed before"));
        }
    }
    for (key, text) in [
        ("github_environment", &config.github_environment),
        ("env_file", &config.env_file),
    ] {
        if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            return Err(document.error(&at(key), format!("`{key}` is empty")));
        }
        if text.as_ref().is_some_and(|text| text.contains("://")) {
            return Err(document.error(&at(key), format!("`{key}` holds a URL")));
        }
    }
    let secret = |key, text: &str| secret_name(document, &parsed, &at(key), text);
    Ok(Environment {
        after,
        database_url: secret("database_url", &config.database_url)?,
        direct_url: match &config.direct_url {
            Some(text) => Some(secret("direct_url", text)?),
            None => None,
        },
        soak,
        max_age,
        github_environment: config.github_environment.clone(),
        env_file: config.env_file.as_ref().map(|file| within(root, file)),
        servers: resolve_servers(document, &parsed, &config.servers)?,
        try_url: resolve_try_url(document, &parsed, try_url)?,
        name: parsed,
    })
}

/// The name of a secret, `{ENV}` filled in.
pub(super) fn secret_name(
    document: &Document<'_>,
    environment: &EnvironmentName,
    path: &[&str],
    text: &str,
) -> Result<SecretName, SettingsError> {
    let expanded = text.replace("{ENV}", &environment.variable_prefix());
    let key = path.last().copied().unwrap_or_default();
    SecretName::parse(&expanded).map_err(|_| not_a_name(document, path, key, text))
}

/// A URL where its name belongs is the likeliest mistake of all, and the worst to show.
fn not_a_name(document: &Document<'_>, path: &[&str], key: &str, text: &str) -> SettingsError {
    let hint = format!(
        "put the URL into a secret or an environment variable, such as DEV_DB_URL, and name it here: \
         {key} = \"DEV_DB_URL\""
    );
    if text.contains("://") {
        return document
            .error(
                path,
                format!("`{key}` holds a URL instead of the name of its secret"),
            )
            .hint(format!(
                "{hint}; if the URL has a password and this file was ever shared, change the password"
            ));
    }
    let message = format!("`{key}` is not the name of a secret: letters, digits and `_`, no digit first");
    document.error(path, message).hint(hint)
}

fn resolve_after(
    document: &Document<'_>,
    name: &EnvironmentName,
    after: Option<&str>,
) -> Result<Option<EnvironmentName>, SettingsError> {
    let Some(after) = after else { return Ok(None) };
    let error = |message: String| document.error(&["environments", name.as_str(), "after"], message);
    if after == name.as_str() {
        return Err(error(format!("environment `{name}` comes after itself")));
    }
    let after = EnvironmentName::parse(after).map_err(|invalid| error(invalid.to_string()))?;
    Ok(Some(after))
}

/// `uat-2` and `UAT_2` would share the names of their secrets.
fn refuse_alike(
    document: &Document<'_>,
    known: &BTreeMap<EnvironmentName, Environment>,
    new: &Environment,
) -> Result<(), SettingsError> {
    let prefix = new.name.variable_prefix();
    match known.keys().find(|name| name.variable_prefix() == prefix) {
        Some(other) => Err(document.error_at_key(
            &["environments", new.name.as_str()],
            format!(
                "environments `{other}` and `{}` cannot be told apart: `{{ENV}}` is {prefix} in both",
                new.name
            ),
        )),
        None => Ok(()),
    }
}

fn ordered(
    document: &Document<'_>,
    mut unordered: BTreeMap<EnvironmentName, Environment>,
) -> Result<Vec<Environment>, SettingsError> {
    refuse_bad_predecessors(document, &unordered)?;
    let mut ordered: Vec<Environment> = Vec::new();
    // Without circles, each round finds at least one whose predecessor is placed.
    while !unordered.is_empty() {
        let placed = |name: &EnvironmentName| ordered.iter().any(|placed| placed.name == *name);
        let ready = |environment: &Environment| environment.after.as_ref().is_none_or(placed);
        let next = unordered.values().find(|environment| ready(environment));
        let Some(next) = next.map(|environment| environment.name.clone()) else {
            break;
        };
        ordered.extend(unordered.remove(&next));
    }
    Ok(ordered)
}

fn refuse_bad_predecessors(
    document: &Document<'_>,
    environments: &BTreeMap<EnvironmentName, Environment>,
) -> Result<(), SettingsError> {
    for start in environments.values() {
        let mut chain = vec![start];
        while let Some(after) = chain.last().and_then(|last| last.after.as_ref()) {
            let last = chain[chain.len() - 1];
            let at = ["environments", last.name.as_str(), "after"];
            let Some(next) = environments.get(after) else {
                let message = format!("`after` names environment `{after}`, which is not configured");
                let known = environments.keys().map(EnvironmentName::as_str);
                let known = known.filter(|name| *name != last.name.as_str());
                return Err(document.error(&at, message).hint(choices(after.as_str(), known)));
            };
            if let Some(first) = chain.iter().position(|seen| seen.name == next.name) {
                let circle = chain[first..].iter().chain([&next]);
                let circle: Vec<&str> = circle.map(|environment| environment.name.as_str()).collect();
                let message = format!("`after` goes in a circle: {}", circle.join(" after "));
                return Err(document.error(&at, message));
            }
            chain.push(next);
        }
    }
    Ok(())
}

/// The chosen environment: by flag or variable, else the only one there is.
pub(super) fn select<'e>(
    document: &Document<'_>,
    environments: &'e [Environment],
    chosen: Option<&str>,
) -> Result<&'e Environment, SettingsError> {
    let names = || environments.iter().map(|environment| environment.name.as_str());
    match (chosen, environments) {
        (Some(chosen), _) => environments
            .iter()
            .find(|environment| environment.name.as_str() == chosen)
            .ok_or_else(|| {
                // What cannot be a name may be a secret in the wrong place.
                let message = match EnvironmentName::parse(chosen) {
                    Ok(name) => format!("there is no environment `{name}`"),
                    Err(invalid) => format!("that is no environment: {invalid}"),
                };
                document.error_in_file(message).hint(choices(chosen, names()))
            }),
        (None, [only]) => Ok(only),
        (None, _) => {
            let names: Vec<&str> = names().collect();
            Err(document.error_in_file("no environment is chosen").hint(format!(
                "say --environment NAME or set TENANTGATE_ENVIRONMENT; configured are: {}",
                names.join(", ")
            )))
        }
    }
}

fn choices<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let list = format!("configured are: {}", known.join(", "));
    match nearest(written, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? {list}"),
        None => list,
    }
}

pub(super) fn resolve_duration(
    document: &Document<'_>,
    path: &[&str],
    text: Option<&DurationText>,
) -> Result<Option<Duration>, SettingsError> {
    let Some(DurationText(text)) = text else {
        return Ok(None);
    };
    match parse_duration(text) {
        Some(duration) => Ok(Some(duration)),
        None => {
            let key = path.last().copied().unwrap_or_default();
            let message = format!("`{key}` is not a duration");
            Err(document.error(path, message).hint(FORM))
        }
    }
}

/// `folder` of the config file; the working directory where the file has none.
pub(super) fn within(root: &Path, path: &str) -> PathBuf {
    if root == Path::new(".") {
        PathBuf::from(path)
    } else {
        root.join(path)
    }
}
