//! What is looked for in migrations before they run, and how much it counts.

use std::collections::BTreeMap;
use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::database_url::EngineKind;
use crate::domain::shown_path;
use crate::rules::{Level, Rule, named, rules};

use super::document::Document;
use super::error::{SettingsError, nearest};

/// What is looked for in migrations before they run.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LintConfig {
    /// The level of every rule that is not off by itself and has none in `rules`. Default: each rule's own.
    level: Option<Level>,
    /// Findings of this level block: `"error"`, or `"warning"` for both.
    fail_on: FailOn,
    /// Levels by rule: `"ban-drop-column" = "error"`. The README lists the rules.
    rules: BTreeMap<String, Level>,
    /// Files that are left alone.
    ignore: Vec<IgnoreConfig>,
}

/// Files that are left alone, by all rules or by some.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IgnoreConfig {
    /// Files by globs, relative to this file: `"migrations/tenant/00*.sql"`.
    paths: Vec<String>,
    /// By these rules. Default: by all.
    #[serde(default)]
    rules: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum FailOn {
    Warning,
    #[default]
    Error,
}

/// What is looked for, and how much it counts.
#[derive(Debug, Clone)]
pub struct Lint {
    level: Option<Level>,
    /// The lowest level that blocks.
    pub fail_on: Level,
    rules: BTreeMap<&'static str, Level>,
    ignore: Vec<Ignore>,
}

#[derive(Debug, Clone)]
struct Ignore {
    paths: GlobSet,
    /// All where empty.
    rules: Vec<&'static str>,
}

impl Default for Lint {
    /// As without a `[lint]` in the config.
    fn default() -> Self {
        Self {
            level: None,
            fail_on: Level::Error,
            rules: BTreeMap::new(),
            ignore: Vec::new(),
        }
    }
}

#[cfg(test)]
impl Lint {
    /// One rule, and no other.
    pub(crate) fn only(id: &str, level: Level) -> Self {
        let mut rules: BTreeMap<&'static str, Level> =
            rules().iter().map(|rule| (rule.id, Level::Off)).collect();
        rules.extend(named(id).map(|rule| (rule.id, level)));
        Self {
            rules,
            ..Self::default()
        }
    }
}

impl Lint {
    /// How much a rule counts in a file, as the report shows its name.
    pub fn level(&self, rule: &Rule, kind: EngineKind, file: &str) -> Level {
        let ignores =
            |it: &Ignore| (it.rules.is_empty() || it.rules.contains(&rule.id)) && it.paths.is_match(file);
        let Some(own) = rule.levels.of(kind) else {
            return Level::Off;
        };
        if self.ignore.iter().any(ignores) {
            return Level::Off;
        }
        match (self.rules.get(rule.id), self.level) {
            (Some(level), _) => *level,
            (None, Some(level)) if own != Level::Off => level,
            (None, _) => own,
        }
    }
}

pub(super) fn resolve_lint(
    document: &Document<'_>,
    config: &LintConfig,
    root: &Path,
) -> Result<Lint, SettingsError> {
    let mut levels = BTreeMap::new();
    for (id, level) in &config.rules {
        let unknown = || unknown_rule(document.error_at_key(&["lint", "rules", id], message(id)), id);
        levels.insert(named(id).ok_or_else(unknown)?.id, *level);
    }
    let mut ignore = Vec::new();
    for (index, it) in config.ignore.iter().enumerate() {
        ignore.push(resolve_ignore(document, &index.to_string(), it, root)?);
    }
    Ok(Lint {
        level: config.level,
        fail_on: match config.fail_on {
            FailOn::Warning => Level::Warning,
            FailOn::Error => Level::Error,
        },
        rules: levels,
        ignore,
    })
}

fn resolve_ignore(
    document: &Document<'_>,
    index: &str,
    config: &IgnoreConfig,
    root: &Path,
) -> Result<Ignore, SettingsError> {
    let path = ["lint", "ignore", index];
    if config.paths.is_empty() {
        return Err(document.error(&path, "`paths` names no file, so nothing is ignored"));
    }
    let mut rules = Vec::new();
    for (at, id) in config.rules.iter().enumerate() {
        let place = ["lint", "ignore", index, "rules", &at.to_string()];
        let unknown = || unknown_rule(document.error(&place, message(id)), id);
        rules.push(named(id).ok_or_else(unknown)?.id);
    }
    // Reports show files from the working directory.
    let folder = globset::escape(&shown_path(root));
    let mut paths = GlobSetBuilder::new();
    for (at, pattern) in config.paths.iter().enumerate() {
        let pattern = match folder.as_str() {
            "" => pattern.clone(),
            folder => format!("{folder}/{}", pattern.trim_start_matches("./")),
        };
        let glob = GlobBuilder::new(&pattern).literal_separator(true).build();
        paths.add(glob.map_err(|error| {
            let place = ["lint", "ignore", index, "paths", &at.to_string()];
            document.error(
                &place,
                format!("`paths` has an item that is not a glob: {}", error.kind()),
            )
        })?);
    }
    let paths = paths
        .build()
        .map_err(|error| document.error(&path, format!("`paths`: {}", error.kind())))?;
    Ok(Ignore { paths, rules })
}

/// Names of rules are no secrets, but what stands in their place may be one.
fn message(id: &str) -> String {
    let is_name = id.len() <= 60
        && id
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    match is_name {
        true => format!("there is no rule `{id}`"),
        false => "there is no such rule".to_owned(),
    }
}

fn unknown_rule(error: SettingsError, id: &str) -> SettingsError {
    match nearest(id, rules().iter().map(|rule| rule.id)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`tenantgate lint --rules` lists them"),
    }
}
