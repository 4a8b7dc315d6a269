//! Config file, flags and process environment become one [`Settings`].

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::domain::ServerName;

use super::config::{Config, MigrationsConfig};
use super::document::Document;
use super::env_file::load_env_file;
use super::environments::{resolve_environments, select, within};
use super::error::SettingsError;
use super::expect::resolve_expectations;
use super::isolation::resolve_isolation;
use super::lint::resolve_lint;
use super::promotion::{resolve_promotion, signing_key};
use super::prove::resolve_prove;
use super::rollout::resolve_rollout;
use super::row::refuse_what_is_one_tenants;
use super::rules::resolve_rules;
use super::tenancy::resolve_tenancy;
use super::validation::resolve_validation;
use super::variables::{ProcessEnvironment, Variables};
use super::{Environment, Publishing, ServerSettings, Settings, When};

/// Names the environment where `--environment` does not.
const ENVIRONMENT_VARIABLE: &str = "TENANTGATE_ENVIRONMENT";
const LONGEST_NAME: usize = 100;

/// What the command line says about settings. Paths are relative to the working directory.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    pub config: PathBuf,
    pub environment: Option<String>,
    /// Instead of the environment's own env file. It must exist.
    pub env_file: Option<PathBuf>,
    /// Instead of the config's folder of evidence.
    pub evidence: Option<PathBuf>,
    pub comment: When,
    pub status: When,
    pub check_run: When,
}

/// Reads the config file and the env files, and checks all that can be checked without a network
/// and without a look at the migrations.
pub fn load(flags: &Flags, process: &ProcessEnvironment) -> Result<Settings, SettingsError> {
    let text = read_config(&flags.config)?;
    let document = Document::parse(&flags.config, &text)?;
    let config: Config = document.read()?;
    let root = folder_of(&flags.config);
    refuse_bad_name(&document, &config.name)?;
    let mut environments = resolve_environments(&document, &config, &root)?;
    let secrets = resolve_rules(&document, &config, &environments)?;
    let tenancy = resolve_tenancy(&document, &config.tenancy)?;
    let (shared_migrations, tenant_migrations) = resolve_migrations(&document, &config.migrations, &root)?;
    let mut rollout = resolve_rollout(&document, &config.rollout)?;
    let validation = resolve_validation(&document, &config.validate, &root)?;
    let expect = resolve_expectations(&document, &config.expect, tenancy.mode)?;
    let isolation = resolve_isolation(&document, &config.isolation, tenancy.mode)?;
    if tenancy.row.is_some() {
        refuse_what_is_one_tenants(&document, &config, &rollout, &expect)?;
    }
    let lint = resolve_lint(&document, &config.lint, &root)?;
    let promotion = resolve_promotion(
        &document,
        &config.promotion,
        &config.environments,
        flags.evidence.as_deref(),
        &root,
    )?;

    let chosen = chosen_environment(flags, process);
    let mut environment = select(&document, &environments, chosen)?.clone();
    if let Some(file) = &flags.env_file {
        environment.env_file = Some(file.clone());
    }
    let own = |(name, server): (&ServerName, &ServerSettings)| Some((name.clone(), server.concurrency?));
    rollout.server_concurrency = environment.servers.iter().filter_map(own).collect();
    for known in &mut environments {
        if known.name == environment.name {
            *known = environment.clone();
        }
    }
    let variables = load_variables(flags, process, &environment, &environments)?;
    let signing_key = signing_key(&variables)?;
    Ok(Settings {
        name: config.name,
        file: flags.config.clone(),
        root,
        environment,
        environments,
        secrets,
        tenancy,
        shared_migrations,
        tenant_migrations,
        rollout,
        validation,
        isolation,
        expect,
        lint,
        proof: resolve_prove(&config.prove),
        promotion,
        signing_key,
        variables,
        publishing: Publishing {
            comment: flags.comment.over(config.github.comment),
            status: flags.status.over(config.github.status),
            check_run: flags.check_run.over(config.github.check_run),
        },
    })
}

fn read_config(file: &Path) -> Result<String, SettingsError> {
    let bytes = std::fs::read(file).map_err(|error| {
        let wrong = |message: String| SettingsError::new(message).file(file);
        match error.kind() {
            ErrorKind::NotFound => wrong("there is no config file here".to_owned()).hint(
                "name it with --config FILE (fixtures/quickstart/tenantgate.toml is one to begin with)",
            ),
            ErrorKind::IsADirectory => wrong("the config file is a folder".to_owned()).hint(format!(
                "name the file in it: --config {}",
                file.join("tenantgate.toml").display()
            )),
            kind => wrong(format!("the config file cannot be read: {kind}")),
        }
    })?;
    let text = String::from_utf8(bytes).map_err(|_| {
        SettingsError::new("the config file is not UTF-8 text")
            .file(file)
            .hint("save it as UTF-8")
    })?;
    Ok(match text.strip_prefix('\u{FEFF}') {
        Some(text) => text.to_owned(),
        None => text,
    })
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn refuse_bad_name(document: &Document<'_>, name: &str) -> Result<(), SettingsError> {
    if name.trim().is_empty() {
        return Err(document.error(&["name"], "`name` is empty"));
    }
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        let message = format!("`name` is not one line of at most {LONGEST_NAME} characters");
        return Err(document.error(&["name"], message));
    }
    Ok(())
}

type Folders = (Option<PathBuf>, Option<PathBuf>);

fn resolve_migrations(
    document: &Document<'_>,
    config: &MigrationsConfig,
    root: &Path,
) -> Result<Folders, SettingsError> {
    if config.shared.is_none() && config.tenant.is_none() {
        return Err(document
            .error(&["migrations"], "[migrations] names no folder")
            .hint("give one or both: shared = \"migrations/shared\", tenant = \"migrations/tenant\""));
    }
    Ok((
        resolve_folder(document, ["migrations", "shared"], &config.shared, root)?,
        resolve_folder(document, ["migrations", "tenant"], &config.tenant, root)?,
    ))
}

pub(super) fn resolve_folder(
    document: &Document<'_>,
    path: [&str; 2],
    folder: &Option<String>,
    root: &Path,
) -> Result<Option<PathBuf>, SettingsError> {
    match folder {
        Some(folder) if folder.trim().is_empty() => {
            Err(document.error(&path, format!("`{}` is empty", path[1])))
        }
        // It would be shown wherever the folder is.
        Some(folder) if folder.contains("://") => {
            Err(document.error(&path, format!("`{}` holds a URL, not a folder", path[1])))
        }
        Some(folder) => Ok(Some(within(root, folder))),
        None => Ok(None),
    }
}

/// An action passes an input that was not given as an empty text: that is none.
fn chosen_environment<'a>(flags: &'a Flags, process: &'a ProcessEnvironment) -> Option<&'a str> {
    let variable = process.variables.get(ENVIRONMENT_VARIABLE);
    let candidates = [flags.environment.as_deref(), variable.map(|value| value.expose())];
    candidates
        .into_iter()
        .flatten()
        .map(str::trim)
        .find(|name| !name.is_empty())
}

/// The env file that the config names may be absent: a laptop has it, a workflow does not, and both
/// use the same config. What is then missing, the checks of secrets say.
fn load_variables(
    flags: &Flags,
    process: &ProcessEnvironment,
    environment: &Environment,
    environments: &[Environment],
) -> Result<Variables, SettingsError> {
    let own = match &environment.env_file {
        Some(file) => load_env_file(file)?,
        None => None,
    };
    let absent = environment.env_file.as_ref().filter(|_| own.is_none());
    if let (Some(file), Some(_)) = (absent, &flags.env_file) {
        return Err(SettingsError::new("there is no env file here")
            .file(file)
            .hint("--env-file is relative to the working directory"));
    }
    let mut variables = Variables::layered(process, own.unwrap_or_else(BTreeMap::new));
    if let Some(file) = absent {
        variables = variables.with_absent_file(file.clone());
    }
    for other in environments.iter().filter(|other| other.name != environment.name) {
        // One file for several environments is read once, as this run's own.
        let Some(file) = other
            .env_file
            .as_ref()
            .filter(|file| environment.env_file.as_ref() != Some(file))
        else {
            continue;
        };
        if let Some(values) = load_env_file(file)? {
            variables = variables.with_file_of(other.name.clone(), values);
        }
    }
    Ok(variables)
}
