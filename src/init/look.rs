//! All guesses over one repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::database_url::EngineKind;

use super::secrets::{self, Seen};
use super::stages::{self, Kind};
use super::tree::{Tree, file_name, is_example};
use super::{Found, Guess, Stage, engine, git, layout, registry};

const MOST_WORKFLOWS: usize = 200;
const LONGEST_WORKFLOW: u64 = 1024 * 1024;

/// What the caller knows better than any guess.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// The config's folder.
    pub(crate) project: PathBuf,
    /// The same from the repository's root, where it is not the root.
    pub(crate) folder: Option<String>,
    /// And as a part of names.
    pub(crate) slug: Option<String>,
    pub(crate) repository: Option<PathBuf>,
    pub(crate) environments: Option<Vec<String>>,
    pub(crate) engine: Option<EngineKind>,
}

pub(crate) fn look(told: &Told) -> Found {
    let tree = Tree::read(&told.project);
    let mut notes = tree.notes.clone();
    let root = told.repository.as_deref().unwrap_or(&told.project);
    let workflows = workflows(root, &mut notes);
    let branches = told
        .repository
        .as_deref()
        .map(|root| known_branches(root, &mut notes));
    let seen: Vec<Seen> = workflows
        .iter()
        .flat_map(|(_, text)| secrets::in_workflow(text))
        .collect();
    let environments: BTreeSet<String> = workflows
        .iter()
        .flat_map(|(_, text)| {
            secrets::environments_in(text)
                .into_iter()
                .map(move |it| (it, text))
        })
        .filter(|(environment, workflow)| is_of_project(told, environment, workflow))
        .map(|(environment, _)| environment)
        .collect();
    let engine = match told.engine {
        Some(value) => Guess {
            value,
            because: Some("as told".to_owned()),
        },
        None => engine::guess(&tree, &workflows).unwrap_or(Guess {
            value: EngineKind::Postgres,
            because: None,
        }),
    };
    let layout = layout::find(&tree);
    let clues = Clues {
        seen: &seen,
        environments: environments.into_iter().collect(),
        slug: told.slug.as_deref(),
        branches: branches.as_deref().unwrap_or_default(),
        examples: example_names(&tree),
    };
    let mut stages = clues.stages(told.environments.as_deref());
    if engine.value != EngineKind::Postgres {
        // The others need no way past a pooler.
        stages.iter_mut().for_each(|stage| stage.direct_url = None);
    }
    let own_word = |secret: &Seen| {
        secret.kind().is_none_or(|(kind, _, word)| {
            word.is_none_or(|word| {
                stages
                    .iter()
                    .any(|it| Kind::of(&it.name) == Some(kind) && prefix(&it.name) == word)
            })
        })
    };
    let (rules, other_secrets) = secrets::rules(&seen, seen.iter().all(own_word));
    Found {
        name: project_name(&told.project),
        registry: registry::guess(&tree, &layout, engine.value),
        branches,
        engine,
        layout,
        stages,
        rules,
        other_secrets,
        notes,
    }
}

/// In a repository of several projects a GitHub environment is another project's, unless its name or its
/// workflow says that it is this one's: two that shared one would share the names of its secrets.
fn is_of_project(told: &Told, environment: &str, workflow: &str) -> bool {
    let Some(folder) = &told.folder else {
        return true;
    };
    let name = file_name(folder).to_lowercase();
    workflow.contains(folder.as_str()) || environment.to_lowercase().contains(&name)
}

/// The branch of each environment by name, and whether it exists.
pub(crate) fn branches_for(names: &[&str], repository: Option<&Path>) -> Vec<(String, bool)> {
    let branches = repository
        .map(|root| known_branches(root, &mut Vec::new()))
        .unwrap_or_default();
    let mut taken = Vec::new();
    names
        .iter()
        .map(|name| {
            let found = branch_for(name, &branches, &taken);
            taken.push(found.0.clone());
            found
        })
        .collect()
}

fn branch_for(name: &str, branches: &[String], taken: &[String]) -> (String, bool) {
    let free = |branch: &String| !taken.contains(branch);
    let exact = branches.iter().find(|branch| *branch == name).cloned();
    let kind = Kind::of(name);
    let known = exact
        .or_else(|| kind.and_then(|kind| kind.branch(branches)))
        .filter(free);
    if let Some(branch) = known {
        return (branch, true);
    }
    let usual = kind.map(|kind| kind.usual_branch().to_owned()).filter(free);
    (usual.unwrap_or_else(|| name.to_owned()), false)
}

/// Those that can stand in a workflow.
fn known_branches(root: &Path, notes: &mut Vec<String>) -> Vec<String> {
    let (plain, odd): (Vec<_>, Vec<_>) = git::branches(root)
        .into_iter()
        .partition(|name| git::is_plain(name));
    if !odd.is_empty() {
        notes.push(format!(
            "{} with unusual characters in the name left out",
            plural(odd.len(), "branch", "branches")
        ));
    }
    plain
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Existing workflows by their paths, without those of this command.
fn workflows(root: &Path, notes: &mut Vec<String>) -> Vec<(String, String)> {
    let folder = root.join(".github/workflows");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .take(MOST_WORKFLOWS)
    {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        if !yaml || name.starts_with("tenantgate") || name.contains(char::is_control) {
            continue;
        }
        let small = entry
            .metadata()
            .is_ok_and(|file| file.is_file() && file.len() <= LONGEST_WORKFLOW);
        match fs::read_to_string(entry.path()) {
            Ok(text) if small => found.push((format!(".github/workflows/{name}"), text)),
            _ => notes.push(format!(
                ".github/workflows/{name} could not be read and was left out"
            )),
        }
    }
    found.sort();
    found
}

/// The folder's name: what a person calls it.
fn project_name(folder: &Path) -> String {
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let name = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    if name.trim().is_empty() {
        "project".to_owned()
    } else {
        name
    }
}

/// Names of variables in examples of env files.
fn example_names(tree: &Tree) -> Vec<String> {
    let files = tree.files.iter().filter(|file| is_example(file));
    let texts = files.filter_map(|file| tree.text(file));
    let mut names: Vec<String> = Vec::new();
    for text in texts {
        for line in text.lines() {
            let line = line.trim().trim_start_matches("export ");
            if let Some((name, _)) = line.split_once('=') {
                names.push(name.trim().to_uppercase());
            }
        }
    }
    names
}

/// What `{ENV}` is for an environment.
fn prefix(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

struct Clues<'a> {
    seen: &'a [Seen],
    environments: Vec<String>,
    slug: Option<&'a str>,
    branches: &'a [String],
    examples: Vec<String>,
}

impl Clues<'_> {
    fn stages(&self, told: Option<&[String]>) -> Vec<Stage> {
        let names: Vec<String> = match told {
            Some(names) => names.to_vec(),
            None => self.kinds().into_iter().map(|kind| self.name_of(kind)).collect(),
        };
        let mut stages: Vec<Stage> = Vec::new();
        for name in names {
            let taken: Vec<String> = stages.iter().map(|stage| stage.branch.clone()).collect();
            let (branch, branch_exists) = branch_for(&name, self.branches, &taken);
            let environment = self.environment_of(&name, &stages);
            stages.push(Stage {
                branch,
                branch_exists,
                github_environment_exists: environment.is_some(),
                github_environment: environment.unwrap_or_else(|| self.slugged(&name)),
                database_url: self.url_of(&name, false).unwrap_or_default(),
                direct_url: self.url_of(&name, true),
                name,
            });
        }
        stages
    }

    /// `services-billing-dev`
    fn slugged(&self, name: &str) -> String {
        self.slug
            .map_or_else(|| name.to_owned(), |slug| format!("{slug}-{name}"))
    }

    fn kinds(&self) -> Vec<Kind> {
        let branches = Kind::ALL
            .into_iter()
            .filter(|kind| kind.branch(self.branches).is_some());
        let environments = self.environments.iter().filter_map(|name| Kind::of(name));
        // TEST_DATABASE_URL is what a test suite uses.
        let secrets = self.seen.iter().filter_map(|secret| secret.kind());
        let secrets = secrets.map(|(kind, ..)| kind).filter(|kind| *kind != Kind::Test);
        stages::complete(branches.chain(environments).chain(secrets).collect())
    }

    /// As the names of its secrets have it, so that `{ENV}` gives these names.
    fn name_of(&self, kind: Kind) -> String {
        let words = self.seen.iter().filter_map(|secret| secret.kind());
        let mut words = words.filter_map(|(its, _, word)| word.filter(|_| its == kind));
        let word = words.next().map(|word| word.to_lowercase());
        word.unwrap_or_else(|| kind.usual_name().to_owned())
    }

    fn environment_of(&self, name: &str, stages: &[Stage]) -> Option<String> {
        let free = |it: &&String| stages.iter().all(|stage| stage.github_environment != **it);
        let named = |name: &str| self.environments.iter().find(|it| it.eq_ignore_ascii_case(name));
        let exact = named(&self.slugged(name)).or_else(|| named(name));
        let kind = Kind::of(name);
        // Of several, the one whose job has the database's URL.
        let with_url = |it: &&String| {
            let theirs = |secret: &&Seen| secret.environment.as_ref() == Some(*it);
            self.seen
                .iter()
                .filter(theirs)
                .any(|secret| secrets::is_database_url(&secret.name))
        };
        let alike = || {
            self.environments
                .iter()
                .filter(|it| kind.is_some() && Kind::of(it) == kind)
        };
        let found = exact
            .or_else(|| alike().find(with_url))
            .or_else(|| alike().next());
        found.filter(free).cloned()
    }

    /// The secret with the URL: this environment's own, or called like the others' are.
    fn url_of(&self, name: &str, direct: bool) -> Option<String> {
        let wanted = |secret: &&Seen| {
            secrets::is_database_url(&secret.name) && secrets::is_direct_url(&secret.name) == direct
        };
        let known: Vec<_> = self
            .seen
            .iter()
            .filter(wanted)
            .filter_map(|secret| Some((secret, secret.kind()?)))
            .collect();
        let own = known.iter().find(|(_, (kind, ..))| Some(*kind) == Kind::of(name));
        if let Some((secret, _)) = own {
            return Some(secret.name.clone());
        }
        let example = self.examples.iter().find(|it| {
            secrets::is_database_url(it) && secrets::is_direct_url(it) == direct && Kind::of(it).is_none()
        });
        let template = known
            .first()
            .map(|(_, (_, template, _))| template.clone())
            .or_else(|| example.map(|example| format!("{{ENV}}_{example}")))
            .or_else(|| (!direct).then(|| "{ENV}_DATABASE_URL".to_owned()))?;
        Some(template.replace("{ENV}", &prefix(name)))
    }
}
