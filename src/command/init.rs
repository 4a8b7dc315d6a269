//! `tenantgate init`: looks, asks where somebody is there to answer, and writes.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum as _;

use crate::cli::{Cli, EngineArg, InitArgs};
use crate::database_url::EngineKind;
use crate::domain::EnvironmentName;
use crate::exit::Exit;
use crate::init::action_ref::ActionRef;
use crate::init::files::{self, Draft, State};
use crate::init::pipeline::{Deployed, Pipeline};
use crate::init::{self, Found, Told, config, told};
use crate::settings::{self, Environment, Flags, ProcessEnvironment, Settings};

use super::{Wrong, print};

pub(super) fn init(cli: &Cli, process: &ProcessEnvironment, arguments: &InitArgs) -> anyhow::Result<Exit> {
    let place = Place::find(cli, arguments)?;
    let action = match &arguments.action_ref {
        Some(text) => ActionRef::parse(text).map_err(|error| Wrong::new(error.to_string(), ACTION_HINT))?,
        None => ActionRef::known(),
    };
    // A config is somebody's work: whoever wants another one removes it.
    let existing = place.config.symlink_metadata().is_ok();
    let (found, pipeline, missing) = if existing {
        refuse_guesses(arguments)?;
        let settings = all_settings(&place)?;
        let (pipeline, missing) = from_settings(&place, &settings, action)?;
        (None, pipeline, missing)
    } else {
        let mut asked = told_by(arguments, &place)?;
        let found = init::look(&asked);
        let found = if may_ask(arguments, process) {
            ask(&mut asked, &found)?;
            init::look(&asked)
        } else {
            found
        };
        let (pipeline, missing) = from_found(&place, &found, action)?;
        (Some(found), pipeline, missing)
    };
    let drafts = drafts(&place, found.as_ref(), &pipeline);
    let states = files::inspect(&place.root, &drafts, arguments.force);
    if !arguments.dry_run {
        files::write(&place.root, &drafts, &states)?;
    }
    let notes = found
        .as_ref()
        .map(|found| found.notes.clone())
        .unwrap_or_default();
    let mut shown: Vec<(&Draft, State)> = drafts.iter().zip(states).collect();
    let kept = Draft {
        path: place.config_path.clone(),
        text: String::new(),
    };
    if existing {
        shown.insert(0, (&kept, State::Kept));
    }
    print(&told::render(&told::Told {
        found: found.as_ref(),
        pipeline: &pipeline,
        missing_branches: &missing,
        notes: &notes,
        files: shown,
        config_path: &place.config_path,
        dry_run: arguments.dry_run,
        in_git: place.repository.is_some(),
        at_root: std::fs::canonicalize(".").is_ok_and(|here| here == place.root),
    }))?;
    Ok(Exit::Passed)
}

const ACTION_HINT: &str =
    "a commit's 40 digits; for another repository: --action-ref OWNER/REPOSITORY@COMMIT";

/// Where things are and go.
struct Place {
    /// What paths of files begin at: the repository's root, else the config's folder.
    root: PathBuf,
    repository: Option<PathBuf>,
    /// The config's folder.
    project: PathBuf,
    config: PathBuf,
    /// The config from the root, with `/`.
    config_path: String,
}

impl Place {
    fn find(cli: &Cli, arguments: &InitArgs) -> anyhow::Result<Self> {
        let folder = arguments.dir.clone().unwrap_or_else(|| PathBuf::from("."));
        let file = folder.join(&cli.global.config);
        let name = file.file_name().map(PathBuf::from);
        let name =
            name.ok_or_else(|| Wrong::new("--config names no file", "such as billing/tenantgate.toml"))?;
        let project = match file.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        if !project.is_dir() {
            let message = format!("there is no folder `{}`", project.display());
            return Err(Wrong::new(message, "make it first, or mend --dir and --config").into());
        }
        let project = std::fs::canonicalize(&project)
            .with_context(|| format!("cannot look into `{}`", project.display()))?;
        let repository = init::repository_root(&project);
        let root = repository.clone().unwrap_or_else(|| project.clone());
        let config = project.join(name);
        let parts = config
            .strip_prefix(&root)
            .unwrap_or(&config)
            .iter()
            .map(|part| part.to_str());
        let parts: Option<Vec<&str>> = parts.collect();
        let config_path = parts.map(|parts| parts.join("/")).ok_or_else(|| {
            Wrong::new(
                "the config's path is not Unicode",
                "GitHub's workflows cannot name it",
            )
        })?;
        init::refuse_odd("the config's path", &config_path)
            .map_err(|odd| Wrong::new(odd.to_string(), "rename the folder or the file"))?;
        Ok(Self {
            root,
            repository,
            project,
            config,
            config_path,
        })
    }

    /// The config's folder from the root, and the config's name; none where they are the usual ones.
    fn parts(&self) -> (Option<String>, Option<String>) {
        let (folder, name) = match self.config_path.rsplit_once('/') {
            Some((folder, name)) => (Some(folder.to_owned()), name),
            None => (None, self.config_path.as_str()),
        };
        (folder, (name != "tenantgate.toml").then(|| name.to_owned()))
    }

    /// `services-billing`: the config's folder where that is not the root. Several configs of a repository
    /// must not share the names of their checks and GitHub environments.
    fn slug(&self) -> Option<String> {
        let (folder, _) = self.parts();
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let slug = folder.map(|folder| folder.chars().map(plain).collect::<String>());
        slug.map(|slug| slug.trim_matches('-').to_owned())
            .filter(|slug| !slug.is_empty())
    }

    fn pipeline(&self, stages: Vec<Deployed>, action: ActionRef) -> Pipeline {
        let (working_directory, config) = self.parts();
        let project = self.slug();
        let title = project.map_or_else(|| "tenantgate".to_owned(), |slug| format!("tenantgate {slug}"));
        Pipeline {
            slug: title.replace(' ', "-"),
            title,
            working_directory,
            config,
            stages,
            action,
        }
    }
}

fn told_by(arguments: &InitArgs, place: &Place) -> Result<Told, Wrong> {
    Ok(Told {
        project: place.project.clone(),
        folder: place.parts().0,
        slug: place.slug(),
        repository: place.repository.clone(),
        environments: match &arguments.environments {
            Some(text) => Some(environment_names(text)?),
            None => None,
        },
        engine: arguments.engine.map(EngineKind::from),
    })
}

/// `dev,uat,prod`, in the order of promotion.
fn environment_names(text: &str) -> Result<Vec<String>, Wrong> {
    let hint = "name them in the order of promotion: --environments dev,uat,prod";
    let mut names: Vec<String> = Vec::new();
    // White space in a name is refused with what else no name may have: `pr od` is not two environments.
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let parsed = EnvironmentName::parse(name)
            .map_err(|why| Wrong::new(format!("--environments, {name:?}: {why}"), hint))?;
        let prefix = |name: &str| EnvironmentName::parse(name).map(|name| name.variable_prefix());
        if names
            .iter()
            .any(|known| prefix(known) == Ok(parsed.variable_prefix()))
        {
            return Err(Wrong::new(format!("environment `{parsed}` is named twice"), hint));
        }
        names.push(name.to_owned());
    }
    if names.is_empty() {
        return Err(Wrong::new("--environments names none", hint));
    }
    Ok(names)
}

/// They would have no effect: the config says it.
fn refuse_guesses(arguments: &InitArgs) -> Result<(), Wrong> {
    let given = [
        ("--environments", arguments.environments.is_some()),
        ("--engine", arguments.engine.is_some()),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(Wrong::new(
            format!("{flag} is for a new config, and there is one already"),
            "change the config and leave the flag out: the workflows follow it; or remove it for a new one",
        )),
        None => Ok(()),
    }
}

/// Somebody is there, and did not say that the guesses are right.
fn may_ask(arguments: &InitArgs, process: &ProcessEnvironment) -> bool {
    let ci = process
        .variables
        .get("CI")
        .is_some_and(|value| !matches!(value.expose(), "" | "false"));
    !arguments.yes && !ci && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn ask(told: &mut Told, found: &Found) -> anyhow::Result<()> {
    let lost = "no answer could be read";
    if told.environments.is_none() {
        let names: Vec<&str> = found.stages.iter().map(|stage| stage.name.as_str()).collect();
        let answer: String = dialoguer::Input::new()
            .with_prompt("Environments, in the order of promotion")
            .default(names.join(","))
            .validate_with(|text: &String| environment_names(text).map(|_| ()))
            .interact_text()
            .map_err(|_| Wrong::new(lost, "--yes takes the guesses"))?;
        told.environments = Some(environment_names(&answer)?);
    }
    if told.engine.is_none() && found.engine.because.is_none() {
        let engines = EngineArg::value_variants();
        let names = [
            "PostgreSQL, a schema per tenant",
            "MariaDB or MySQL, a database per tenant",
            "SQLite, a file per tenant",
        ];
        let chosen = dialoguer::Select::new()
            .with_prompt("Engine")
            .items(names)
            .default(0)
            .interact()
            .map_err(|_| Wrong::new(lost, "--engine says it, --yes takes the guess"))?;
        told.engine = engines.get(chosen).copied().map(EngineKind::from);
    }
    std::io::stderr().flush().context("cannot write to the terminal")
}

fn from_found(place: &Place, found: &Found, action: ActionRef) -> anyhow::Result<(Pipeline, Vec<String>)> {
    let mut before = None;
    let mut stages = Vec::new();
    for stage in &found.stages {
        let urls: Vec<String> = std::iter::once(&stage.database_url)
            .chain(&stage.direct_url)
            .cloned()
            .collect();
        let prefix = EnvironmentName::parse(&stage.name)
            .map_err(|why| Wrong::new(why.to_string(), "--environments names them"))?
            .variable_prefix();
        let rules = found
            .rules
            .iter()
            .map(|rule| rule.template.replace("{ENV}", &prefix));
        stages.push(Deployed {
            after: before.replace(stage.name.clone()),
            name: stage.name.clone(),
            branch: stage.branch.clone(),
            github_environment: stage.github_environment.clone(),
            secrets: urls.iter().cloned().chain(rules).collect(),
            urls,
        });
    }
    let missing = found.stages.iter().filter(|stage| !stage.branch_exists);
    let missing = missing.map(|stage| stage.branch.clone()).collect();
    Ok((place.pipeline(stages, action), missing))
}

/// The config as it is, for its first environment: which one does not matter here.
fn all_settings(place: &Place) -> anyhow::Result<Settings> {
    let text = std::fs::read_to_string(&place.config).unwrap_or_default();
    let names = environments_of(&text);
    let flags = Flags {
        config: place.config.clone(),
        environment: names.into_iter().next(),
        ..Flags::default()
    };
    // Values are none of this command's business, so none are given to it.
    Ok(settings::load(&flags, &ProcessEnvironment::default())?)
}

fn environments_of(text: &str) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Names {
        #[serde(default)]
        environments: BTreeMap<String, toml::Value>,
    }
    toml::from_str::<Names>(text)
        .map(|it| it.environments.into_keys().collect())
        .unwrap_or_default()
}

fn from_settings(
    place: &Place,
    settings: &Settings,
    action: ActionRef,
) -> anyhow::Result<(Pipeline, Vec<String>)> {
    let names: Vec<&str> = settings.environments.iter().map(|it| it.name.as_str()).collect();
    let branches = init::branches_for(&names, place.repository.as_deref());
    let mut missing = Vec::new();
    let mut stages = Vec::new();
    for (environment, (branch, exists)) in settings.environments.iter().zip(branches) {
        if !exists {
            missing.push(branch.clone());
        }
        stages.push(deployed(settings, environment, branch)?);
    }
    Ok((place.pipeline(stages, action), missing))
}

fn deployed(settings: &Settings, environment: &Environment, branch: String) -> anyhow::Result<Deployed> {
    let name = environment.name.as_str();
    let github = environment.github_environment.as_deref().unwrap_or(name);
    init::refuse_odd("github_environment", github)
        .map_err(|odd| Wrong::new(odd.to_string(), "rename the GitHub environment"))?;
    Ok(Deployed {
        name: name.to_owned(),
        after: environment.after.as_ref().map(|after| after.as_str().to_owned()),
        branch,
        github_environment: github.to_owned(),
        urls: environment.url_names().map(|it| it.as_str().to_owned()).collect(),
        secrets: settings.secret_names(environment).into_iter().collect(),
    })
}

fn drafts(place: &Place, found: Option<&Found>, pipeline: &Pipeline) -> Vec<Draft> {
    let mut drafts = Vec::new();
    if let Some(found) = found {
        drafts.push(Draft {
            path: place.config_path.clone(),
            text: config::render(found),
        });
        let (folder, _) = place.parts();
        let above = folder.map_or_else(String::new, |folder| format!("{folder}/"));
        let layout = &found.layout;
        let folders = [&layout.shared, &layout.tenant].into_iter().flatten();
        // Git keeps no empty folders, and the gate refuses a config that names one that is not there.
        drafts.extend(folders.filter(|_| layout.to_make).map(|folder| Draft {
            path: format!("{above}{folder}/.gitkeep"),
            text: String::new(),
        }));
    }
    drafts.extend(
        pipeline
            .files()
            .into_iter()
            .map(|(path, text)| Draft { path, text }),
    );
    drafts
}
