//! Rules for secrets.

use std::collections::BTreeMap;

use regex::Regex;

use crate::domain::SecretName;

use super::config::{Config, SecretConfig};
use super::document::Document;
use super::error::SettingsError;
use super::{Environment, SecretRule};

/// A secret this long should not be one character over and over.
const LONG: usize = 20;
const DISTINCT_IN_LONG: usize = 8;

pub(super) fn resolve_rules(
    document: &Document<'_>,
    config: &Config,
    environments: &[Environment],
) -> Result<Vec<SecretRule>, SettingsError> {
    let rules: Vec<SecretRule> = config
        .secrets
        .iter()
        .map(|(template, config)| resolve_rule(document, template, config))
        .collect::<Result<_, _>>()?;
    for environment in environments {
        let mut owners: BTreeMap<String, &str> = BTreeMap::new();
        for rule in &rules {
            let name = rule.name_in(&environment.name);
            if let Some(other) = owners.insert(name.clone(), &rule.template) {
                let message = format!(
                    "[secrets.\"{other}\"] and [secrets.\"{}\"] are both for {name} in `{}`",
                    rule.template, environment.name
                );
                return Err(document.error_at_key(&["secrets", &rule.template], message));
            }
        }
    }
    Ok(rules)
}

fn resolve_rule(
    document: &Document<'_>,
    template: &str,
    config: &SecretConfig,
) -> Result<SecretRule, SettingsError> {
    let at = |key| ["secrets", template, key];
    // Any environment's prefix has these characters, and none begins with a digit that `E` does not.
    if SecretName::parse(&template.replace("{ENV}", "E")).is_err() {
        return Err(document
            .error_at_key(&["secrets", template], "this is not the name of a secret")
            .hint("letters, digits and `_`, no digit first; {ENV} stands for the environment: \"{ENV}_SECRET_KEY\""));
    }
    let pattern = match &config.pattern {
        Some(pattern) => Some(Regex::new(pattern).map_err(|error| {
            let message = format!("`pattern` is not a regular expression: {}", reason(&error));
            document.error(&at("pattern"), message)
        })?),
        None => None,
    };
    if config.one_of.as_ref().is_some_and(Vec::is_empty) {
        return Err(document
            .error(&at("one_of"), "`one_of` is empty, so no value is allowed")
            .hint("list the allowed values, or leave it out"));
    }
    if let (Some(length), Some(distinct)) = (config.min_length, config.min_distinct)
        && distinct > length
    {
        return Err(document.error(&at("min_distinct"), "`min_distinct` is more than `min_length`"));
    }
    let long = config.min_length.is_some_and(|length| length >= LONG);
    let demanding = config.min_length.is_some() || config.min_distinct.is_some();
    Ok(SecretRule {
        template: template.to_owned(),
        min_length: config.min_length,
        min_distinct: config.min_distinct.or(long.then_some(DISTINCT_IN_LONG)),
        pattern,
        one_of: config.one_of.clone().unwrap_or_default(),
        optional: config.optional,
        unique: config.unique.unwrap_or(demanding),
    })
}

/// The last line of regex's message; the lines before it show the pattern.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}
