//! How a change moves from one environment to the next.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::domain::{EnvironmentName, KeyError, KeyRing, PublicKey, SigningKey};

use super::config::{EnvironmentConfig, OverrideConfig, PromotionConfig, StoreConfig};
use super::document::Document;
use super::error::SettingsError;
use super::load::resolve_folder;
use super::variables::Variables;

/// Holds the key that signs evidence.
pub(super) const SIGNING_KEY_VARIABLE: &str = "TENANTGATE_SIGNING_KEY";

/// As whom GitHub lists what a workflow's own token wrote.
const WORKFLOWS: &str = "github-actions[bot]";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    pub store: Store,
    /// Only what one of these signed is evidence; empty: signatures are not asked for.
    pub public_keys: KeyRing,
    /// Whose deployments on GitHub are read.
    pub trusted_creators: Vec<String>,
    pub overriding: Overriding,
}

/// Where evidence is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    Folder(PathBuf),
    Github,
    /// In a job of GitHub Actions with a token on GitHub; elsewhere in the folder where the config names
    /// one, else on GitHub where a repository and a token are known.
    Auto(Option<PathBuf>),
}

/// Who may set the promotion rules aside, and what that counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overriding {
    pub actors: Vec<String>,
    pub teams: Vec<Team>,
    /// A pass under an override opens the next environment too.
    pub counts: bool,
}

/// `org/team`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    pub organisation: String,
    pub slug: String,
}

/// `flag`: the command line's folder, which wins over the file.
pub(super) fn resolve_promotion(
    document: &Document<'_>,
    config: &PromotionConfig,
    environments: &BTreeMap<String, EnvironmentConfig>,
    flag: Option<&Path>,
    root: &Path,
) -> Result<Promotion, SettingsError> {
    let folder = resolve_folder(document, ["promotion", "evidence"], &config.evidence, root)?;
    if config.store == StoreConfig::Github && folder.is_some() {
        return Err(document
            .error(
                &["promotion", "evidence"],
                "`evidence` says nothing where `store` is \"github\"",
            )
            .hint("leave one of the two out"));
    }
    let store = match (flag, folder, config.store) {
        (Some(flag), ..) => Store::Folder(flag.to_owned()),
        (None, Some(folder), StoreConfig::Folder) => Store::Folder(folder),
        (None, _, StoreConfig::Github) => Store::Github,
        (None, folder, StoreConfig::Auto) => Store::Auto(folder),
        (None, None, StoreConfig::Folder) => {
            return Err(document
                .error(
                    &["promotion", "store"],
                    "`store` is \"folder\", and no folder is named",
                )
                .hint("name it: evidence = \"evidence\" in [promotion], or --evidence DIR"));
        }
    };
    let creators = match &config.trusted_creators {
        Some(names) => logins(document, &["promotion", "trusted_creators"], names)?,
        None => vec![WORKFLOWS.to_owned()],
    };
    Ok(Promotion {
        store,
        public_keys: KeyRing {
            general: public_keys(document, &["promotion", "public_keys"], &config.public_keys)?,
            own: own_keys(document, environments)?,
        },
        trusted_creators: creators,
        overriding: resolve_override(document, &config.overriding)?,
    })
}

fn own_keys(
    document: &Document<'_>,
    environments: &BTreeMap<String, EnvironmentConfig>,
) -> Result<BTreeMap<EnvironmentName, Vec<PublicKey>>, SettingsError> {
    let mut own = BTreeMap::new();
    for (name, config) in environments {
        let Ok(environment) = EnvironmentName::parse(name) else {
            continue;
        };
        let path = ["environments", name, "public_keys"];
        let keys = public_keys(document, &path, &config.public_keys)?;
        if !keys.is_empty() {
            own.insert(environment, keys);
        }
    }
    Ok(own)
}

fn public_keys(
    document: &Document<'_>,
    path: &[&str],
    lines: &[String],
) -> Result<Vec<PublicKey>, SettingsError> {
    let key = |(at, line): (usize, &String)| {
        PublicKey::parse(line).map_err(|wrong: KeyError| {
            let at_key = at.to_string();
            let path: Vec<&str> = path.iter().copied().chain([at_key.as_str()]).collect();
            let message = format!("key {} of `public_keys` {wrong}", at + 1);
            document.error(&path, message).hint(wrong.hint())
        })
    };
    lines.iter().enumerate().map(key).collect()
}

fn resolve_override(document: &Document<'_>, config: &OverrideConfig) -> Result<Overriding, SettingsError> {
    let actors = logins(document, &["promotion", "override", "actors"], &config.actors)?;
    let team = |(at, text): (usize, &String)| {
        let parts = text.split_once('/').filter(|(organisation, slug)| {
            let word = |text: &str| {
                !text.is_empty()
                    && text
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
            };
            word(organisation) && word(slug)
        });
        let (organisation, slug) = parts.ok_or_else(|| {
            let path = ["promotion", "override", "teams", &at.to_string()];
            let message = format!("team {} of `teams` is not of the form \"org/team\"", at + 1);
            document.error(&path, message).hint(
                "the organisation and the team's short name, as in the address of its page: \"my-org/dba\"",
            )
        })?;
        Ok(Team {
            organisation: organisation.to_owned(),
            slug: slug.to_owned(),
        })
    };
    let teams: Result<Vec<_>, SettingsError> = config.teams.iter().enumerate().map(team).collect();
    Ok(Overriding {
        actors,
        teams: teams?,
        counts: config.counts,
    })
}

/// People's logins, and those of apps: `dependabot[bot]`.
fn logins(document: &Document<'_>, path: &[&str], names: &[String]) -> Result<Vec<String>, SettingsError> {
    for (at, name) in names.iter().enumerate() {
        let bare = name.strip_suffix("[bot]").unwrap_or(name);
        let fits = !bare.is_empty()
            && bare
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if !fits {
            let at_text = at.to_string();
            let path: Vec<&str> = path.iter().copied().chain([at_text.as_str()]).collect();
            let key = path[path.len() - 2];
            let message = format!("name {} of `{key}` is not a login on GitHub", at + 1);
            return Err(document
                .error(&path, message)
                .hint("without @: \"alice\", or \"my-app[bot]\" for an app"));
        }
    }
    Ok(names.to_vec())
}

/// A secret that is not there reaches a workflow's step as an empty text: that is none.
pub(super) fn signing_key(variables: &Variables) -> Result<Option<SigningKey>, SettingsError> {
    let wrong = |wrong: KeyError| {
        SettingsError::new(format!("the variable {SIGNING_KEY_VARIABLE} {wrong}")).hint(wrong.hint())
    };
    if variables.is_unreadable(SIGNING_KEY_VARIABLE) {
        return Err(wrong(KeyError::Damaged));
    }
    let value = variables.get(SIGNING_KEY_VARIABLE);
    let value = value.filter(|value| !value.expose().trim().is_empty());
    value
        .map(|value| SigningKey::parse(value.expose()).map_err(wrong))
        .transpose()
}
