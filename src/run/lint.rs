//! What is about to run is read before it runs; and without a database whatever is asked for.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crate::database_url::{self, EngineKind};
use crate::domain::words::count;
use crate::domain::{Entry, EntryState, Finding, Migration, Scope, Version, shown_path};
use crate::lint::{self, Accepted, Chosen, Options, World};
use crate::settings::{Tenancy, TenancyMode};

use super::survey::Survey;
use super::{Command, Gate, Stage, Wrong};

impl Gate<'_> {
    /// Of what somebody lacks and nobody has: an applied migration is not looked at, nor when a tenant
    /// that is new gets it.
    pub(super) fn lint_pending(&mut self, survey: &Survey) -> Stage<()> {
        let (true, Some(kind)) = (self.request.command.lints(), self.kind) else {
            return Ok(());
        };
        let since = Instant::now();
        let chosen = self.nowhere_applied(survey);
        let known = survey.known().iter();
        let known = known.map(|it| (it.name.as_str().to_owned(), it.location.clone()));
        let world = World::new(kind, &self.settings.tenancy, self.database.as_deref(), known);
        let linted = lint::lint(self.set(), &chosen, &world, self.lint_options());
        self.add(linted.checks, since)
    }

    fn nowhere_applied(&self, survey: &Survey) -> Chosen {
        let set = self.set();
        let plan = &survey.plan;
        let mut chosen = Chosen::default();
        if self.request.includes(Scope::Shared) || self.request.command == Command::Plan {
            chosen.shared = plan.shared.migrations.iter().copied().collect();
        }
        chosen.tenant = match &plan.tenants {
            // Whoever comes will get them all.
            None => (0..set.tenant.len()).collect(),
            Some(tenants) => tenants
                .iter()
                .filter(|it| self.request.includes_tenant(&it.tenant.name))
                .flat_map(|it| it.pending.migrations.iter().copied())
                .collect(),
        };
        if survey.known().is_empty() && !survey.to_register.is_empty() {
            chosen.tenant = (0..set.tenant.len()).collect();
        }
        let ledger = &survey.ledger;
        let applied = |history: &[Entry], versions: &mut BTreeSet<Version>| {
            let applied = history.iter().filter(|entry| entry.state == EntryState::Applied);
            versions.extend(applied.map(|entry| entry.version));
        };
        let (mut shared, mut tenants) = (BTreeSet::new(), BTreeSet::new());
        applied(&ledger.shared, &mut shared);
        // Equal histories are one value.
        let mut seen = HashSet::new();
        for history in ledger.tenants.values() {
            if seen.insert(Arc::as_ptr(history)) {
                applied(history, &mut tenants);
            }
        }
        let is_new =
            |migration: &Migration, applied: &BTreeSet<Version>| !applied.contains(&migration.version);
        chosen.shared.retain(|index| is_new(&set.shared[*index], &shared));
        chosen
            .tenant
            .retain(|index| is_new(&set.tenant[*index], &tenants));
        chosen
    }

    fn lint_options(&self) -> Options<'_> {
        let after = self.settings.environment.after.as_ref();
        Options {
            settings: &self.settings.lint,
            server: self.server.as_deref(),
            accepted: after.map(|it| (it.as_str(), self.accepted.as_slice())),
        }
    }

    /// What this run passes with, for the environment after this one.
    pub(super) fn lint_warnings(&self) -> Vec<Accepted> {
        let (Some(kind), Some(_)) = (self.kind, self.settings.next()) else {
            return Vec::new();
        };
        let world = World::new(kind, &self.settings.tenancy, self.database.as_deref(), []);
        lint::warnings(self.set(), &world, self.lint_options())
    }

    /// `lint`: without a database.
    pub(super) fn lint_files(&mut self) -> anyhow::Result<Stage<()>> {
        let since = Instant::now();
        let chosen = self.chosen_files()?;
        // The engine was taken before the files were read.
        let kind = self.kind.unwrap_or(EngineKind::Postgres);
        let named = self.settings.rollout.canary.iter();
        let known = named.map(|name| {
            let location = self.settings.tenancy.location.replace("{tenant}", name.as_str());
            (name.as_str().to_owned(), location)
        });
        let world = World::new(kind, &self.settings.tenancy, self.database.as_deref(), known);
        let mut linted = lint::lint(self.set(), &chosen, &world, self.lint_options());
        let request = &self.request.lint;
        let is_whole = request.since.is_none() && request.files.is_empty();
        if let Some(note) = taken_as_new(linted.new_tables).filter(|_| is_whole) {
            let data = linted.checks.iter_mut().find(|it| it.id == lint::DATA.id);
            data.into_iter().for_each(|it| it.findings.push(note.clone()));
        }
        Ok(self.add(linted.checks, since))
    }

    fn chosen_files(&self) -> Result<Chosen, Wrong> {
        let set = self.set();
        let request = &self.request.lint;
        let files = match &request.since {
            Some(reference) => self.changed_since(reference)?,
            None if request.files.is_empty() => return Ok(Chosen::all(set)),
            None => request.files.clone(),
        };
        let mut wanted: BTreeMap<String, bool> = files.iter().map(|file| (shown_path(file), false)).collect();
        let mut chosen = Chosen::default();
        for scope in Scope::ALL {
            for (index, migration) in set.of(scope).iter().enumerate() {
                if let Some(found) = wanted.get_mut(&migration.file) {
                    *found = true;
                    match scope {
                        Scope::Shared => chosen.shared.insert(index),
                        Scope::Tenant => chosen.tenant.insert(index),
                    };
                }
            }
        }
        // Git names all sorts of files, a person those that are meant.
        if request.since.is_none()
            && let Some((file, _)) = wanted.iter().find(|(_, found)| !**found)
        {
            return Err(Wrong {
                message: format!("`{file}` is no migration of this set"),
                hint: "name files of the folders that [migrations] in the config names, up files only"
                    .to_owned(),
            });
        }
        Ok(chosen)
    }

    /// What Git has as new or changed, also what it does not know yet.
    fn changed_since(&self, reference: &str) -> Result<Vec<PathBuf>, Wrong> {
        let wrong = |message: String| Wrong {
            message,
            hint: "name a commit or branch that Git knows here; a shallow checkout knows only the newest \
                   (`fetch-depth: 0`)"
                .to_owned(),
        };
        if reference.is_empty() || reference.starts_with('-') {
            return Err(wrong("--since names no commit or branch".to_owned()));
        }
        let folders = [&self.settings.shared_migrations, &self.settings.tenant_migrations];
        let mut files = Vec::new();
        for folder in folders.into_iter().flatten() {
            // Outside of a repository `git diff` is another command, and speaks of its own options.
            git(folder, &["rev-parse", "--show-toplevel"]).map_err(|why| Wrong {
                message: format!("`{}` is in no Git repository: {why}", folder.display()),
                hint: "name the files instead of `--since`".to_owned(),
            })?;
            let changed = [
                "diff",
                "--name-only",
                "--relative",
                "--diff-filter=d",
                "-z",
                "--merge-base",
                reference,
                "--",
                ".",
            ];
            let unknown = ["ls-files", "--others", "--exclude-standard", "-z", "--", "."];
            for arguments in [&changed[..], &unknown[..]] {
                let listed = git(folder, arguments).map_err(|why| {
                    wrong(format!("Git cannot say what changed since `{reference}`: {why}"))
                })?;
                files.extend(
                    listed
                        .split('\0')
                        .filter(|it| !it.is_empty())
                        .map(|it| folder.join(it)),
                );
            }
        }
        Ok(files)
    }

    /// The URL's, if it is at hand; else what mode and names leave.
    pub(super) fn take_engine_of_files(&mut self) {
        let name = self.settings.environment.database_url.as_str();
        let value = self.settings.variables.get(name);
        let url = value.and_then(|value| database_url::parse(value.expose()).ok());
        if let Some(url) = url {
            url.secret_parts()
                .for_each(|part| self.redactor.add(part.expose()));
            self.kind = Some(url.kind);
            self.database = Some(url.database);
        }
        let guessed = || engine_by_names(&self.settings.tenancy);
        self.kind = Some(self.request.lint.engine.or(self.kind).unwrap_or_else(guessed));
    }
}

/// Over a whole set almost every table is one that the set makes, and little is told of it.
fn taken_as_new(tables: usize) -> Option<Finding> {
    let verb = if tables == 1 { "is" } else { "are" };
    (tables > 0).then(|| {
        Finding::note(format!(
            "{} that these migrations make {verb} taken for new and empty: what they do to a live database is not told",
            count(tables, "table")
        ))
        .hint("`--since REF` looks only at what is new since a commit, and FILE at what you name")
    })
}

/// A file's path has a dot or a folder, a database's name has none.
pub(crate) fn engine_by_names(tenancy: &Tenancy) -> EngineKind {
    match tenancy.mode {
        TenancyMode::Schema | TenancyMode::Row => EngineKind::Postgres,
        TenancyMode::Database if tenancy.location.contains(['.', '/']) => EngineKind::Sqlite,
        TenancyMode::Database => EngineKind::Mysql,
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let done = std::process::Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .output();
    match done {
        Err(error) => Err(error.to_string()),
        Ok(done) if done.status.success() => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
        Ok(done) => {
            let said = String::from_utf8_lossy(&done.stderr);
            Err(said.lines().next().unwrap_or("it failed").to_owned())
        }
    }
}
