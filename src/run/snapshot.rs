//! The snapshot's file, written from what the migrations make or from what is there, or compared with it.

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::baseline::told;
use crate::domain::words::count;
use crate::domain::{
    Check, Difference, Finding, Migration, Structure, Tenant, Tenants, differences, is_code,
};
use crate::engine::{Engine, Target};
use crate::migrations::Pending;
use crate::settings::ExpectedFrom;
use crate::snapshot::{self, CURRENT, FILE, MADE, Snapshot};
use crate::validate::largest;

use super::drift::applied;
use super::made::made;
use super::request::From;
use super::survey::Survey;
use super::{Blocked, Command, Gate, Stage};

/// More differences than this are counted.
const SHOWN: usize = 50;

impl Gate<'_> {
    pub(super) async fn snapshot(&mut self, engine: &dyn Engine) -> Stage<()> {
        let since = Instant::now();
        let (shared, tenant) = match self.request.from {
            From::Migrations => self.of_migrations(engine).await?,
            From::Tenants => self.of_tenants(engine).await?,
        };
        let lived = self.request.from == From::Tenants && !self.request.compares;
        let coded = |it: &Structure| it.facts.iter().any(|it| is_code(it.object.kind, &it.attribute));
        let note = (lived && (coded(&shared) || coded(&tenant))).then(|| {
            Finding::note(
                "the snapshot has the texts of live routines and triggers, as somebody wrote them there",
            )
            .hint("read it before you commit it: is there a key or a password in one?")
        });
        self.add(vec![Check::answered(&MADE, note.into_iter().collect())], since)?;
        let since = Instant::now();
        let asked = self.request.out.clone();
        let file = asked.unwrap_or_else(|| self.settings.validation.snapshot.clone());
        let made = Snapshot {
            kind: engine.kind(),
            shared: shared.portable(),
            tenant: tenant.portable(),
        };
        if self.request.compares {
            let found = self.read_snapshot(&file)?;
            let findings = compare(&file, &made, &found);
            return self.add(vec![Check::answered(&CURRENT, findings)], since);
        }
        let text = snapshot::render(&made.shared, &made.tenant, made.kind);
        let is_current = std::fs::read_to_string(&file).is_ok_and(|before| before == text);
        let written = if is_current { Ok(()) } else { write(&file, &text) };
        let finding = match written {
            Err(error) => {
                Finding::error(format!("cannot write `{}`: {error}", file.display())).operational(true)
            }
            Ok(()) => {
                let verb = if is_current {
                    "is up to date"
                } else {
                    "was written"
                };
                Finding::note(format!(
                    "`{}` {verb}: {} shared, {} of a tenant",
                    file.display(),
                    count(objects(&made.shared), "object"),
                    count(objects(&made.tenant), "object"),
                ))
            }
        };
        self.add(vec![Check::answered(&FILE, vec![finding])], since)
    }

    /// Reads a snapshot's file; what is wrong with it answers [`FILE`].
    pub(super) fn read_snapshot(&mut self, file: &Path) -> Stage<Snapshot> {
        let since = Instant::now();
        let shown = file.display().to_string();
        let finding = match read(file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Finding::error(format!("there is no snapshot `{shown}`"))
                    .hint("write it by `tenantgate snapshot`, and commit it")
            }
            Err(error) => Finding::error(format!("cannot read `{shown}`: {error}")).operational(true),
            Ok(text) => match snapshot::parse(&text) {
                Ok(snapshot) => {
                    self.add(vec![Check::answered(&FILE, Vec::new())], since)?;
                    return Ok(snapshot);
                }
                Err(error) => Finding::error(format!("`{shown}` is no snapshot: {}", error.message))
                    .hint("write it anew by `tenantgate snapshot`, and commit it")
                    .file(&shown)
                    .at(error.line, 1),
            },
        };
        let _ = self.add(vec![Check::answered(&FILE, vec![finding])], since);
        Err(Blocked)
    }

    /// A snapshot that does not say what pending migrations make would block when they have run.
    pub(super) async fn snapshot_knows(&mut self, engine: &dyn Engine, survey: &Survey) -> Stage<()> {
        let settings = self.settings;
        if self.request.command != Command::Run || settings.validation.expected != ExpectedFrom::Snapshot {
            return Ok(());
        }
        let since = Instant::now();
        let file = &settings.validation.snapshot;
        let text = read(file).unwrap_or_default();
        // What is wrong with the file is another check's.
        let Ok(snapshot) = snapshot::parse(&text) else {
            return Ok(());
        };
        let set = self.set();
        let plans = survey.plan.tenants.iter().flatten();
        let behind = plans.max_by_key(|it| it.pending.migrations.len());
        let pending = behind.map_or(&[][..], |it| &it.pending.migrations);
        let shared = applied(&set.shared, &survey.plan.shared.migrations);
        let before = made(engine, &shared, &applied(&set.tenant, pending)).await;
        let all: Vec<&Migration> = set.shared.iter().collect();
        let after = made(engine, &all, &set.tenant.iter().collect::<Vec<_>>()).await;
        // Where that cannot be learnt, the comparison afterwards says why.
        let (Ok(before), Ok(after)) = (before, after) else {
            return Ok(());
        };
        let known = differences(&snapshot.tenant, &before.portable());
        let mut new = differences(&snapshot.tenant, &after.portable());
        new.retain(|it| !known.contains(it));
        let finding = (!new.is_empty()).then(|| {
            let shown = file.display().to_string();
            Finding::error(format!(
                "the snapshot does not know what pending migrations make: {}",
                told(&new)
            ))
            .hint("write it anew by `tenantgate snapshot`, and commit it with them")
            .file(&shown)
        });
        self.add(
            vec![Check::answered(&CURRENT, finding.into_iter().collect())],
            since,
        )
    }

    async fn of_migrations(&mut self, engine: &dyn Engine) -> Stage<(Structure, Structure)> {
        let since = Instant::now();
        let set = self.set();
        let shared: Vec<&Migration> = set.shared.iter().collect();
        let tenant: Vec<&Migration> = set.tenant.iter().collect();
        let findings = match made(engine, &[], &shared).await {
            Err(unlearnt) => unlearnt.findings,
            Ok(of_shared) => match made(engine, &shared, &tenant).await {
                Err(unlearnt) => unlearnt.findings,
                Ok(of_tenant) => return Ok((of_shared, of_tenant)),
            },
        };
        let _ = self.add(vec![Check::answered(&MADE, findings)], since);
        Err(Blocked)
    }

    /// Of the tenant that was named, else of one of the largest group that is alike.
    async fn of_tenants(&mut self, engine: &dyn Engine) -> Stage<(Structure, Structure)> {
        let since = Instant::now();
        let tenants = self.read_tenants(engine, &Pending::default()).await?;
        let locations = engine.locations().await;
        let locations = self.or_block(&MADE, since, locations)?;
        let known = match &tenants {
            Tenants::Known(tenants) => tenants.as_slice(),
            Tenants::Unknown => &[],
        };
        let wanted = |it: &&Tenant| locations.contains(it) && self.request.includes_tenant(&it.name);
        let wanted: Vec<&Tenant> = known.iter().filter(wanted).collect();
        let targets: Vec<Target<'_>> = wanted.iter().map(|it| Target::Tenant(it)).collect();
        let prints = engine.prints(&targets, false).await;
        let prints = self.or_block(&MADE, since, prints)?;
        let Some(one) = largest(&prints).first().copied() else {
            let finding = Finding::error("there is no tenant whose structure could be taken")
                .hint("take it from the migrations: `tenantgate snapshot`");
            let _ = self.add(vec![Check::answered(&MADE, vec![finding])], since);
            return Err(Blocked);
        };
        let structures = engine.structures(&[Target::Shared, targets[one]]).await;
        let mut structures = self.or_block(&MADE, since, structures)?.into_iter();
        let mut next = || structures.next().unwrap_or_default();
        Ok((next(), next()))
    }
}

/// More than this is no snapshot: ten thousand tables have less.
const LARGEST: u64 = 256 << 20;

/// A device or a pipe has no end.
fn read(file: &Path) -> std::io::Result<String> {
    let of = file.metadata()?;
    if !of.is_file() || of.len() > LARGEST {
        let what = if of.is_file() {
            "larger than 256 MiB"
        } else {
            "no plain file"
        };
        return Err(std::io::Error::other(format!("it is {what}")));
    }
    std::fs::read_to_string(file)
}

fn objects(structure: &Structure) -> usize {
    let mut count = 0;
    let mut last = None;
    for fact in &structure.facts {
        count += usize::from(last != Some(&fact.object));
        last = Some(&fact.object);
    }
    count
}

/// What is wrong with the file.
fn compare(file: &Path, made: &Snapshot, found: &Snapshot) -> Vec<Finding> {
    let shown = file.display().to_string();
    let hint = "write it anew by `tenantgate snapshot`, read what changed, and commit it";
    if made.kind != found.kind {
        let finding = Finding::error(format!("`{shown}` is of another engine"));
        return vec![finding.hint(hint).file(&shown)];
    }
    let parts = [
        ("shared", &made.shared, &found.shared),
        ("tenant", &made.tenant, &found.tenant),
    ];
    let mut findings = Vec::new();
    for (part, made, found) in parts {
        let differ: Vec<Difference> = differences(made, found);
        let left_out = differ.len().saturating_sub(SHOWN);
        let told = |it: &Difference| Finding::error(format!("{part}: {it}")).hint(hint).file(&shown);
        findings.extend(differ.iter().take(SHOWN).map(told));
        if left_out > 0 {
            let more = format!("{part}: {} more", count(left_out, "difference"));
            findings.push(Finding::error(more).hint(hint).file(&shown));
        }
        if differ.is_empty() && made != found {
            let finding = Finding::error(format!("{part}: its facts are others"));
            findings.push(finding.hint(hint).file(&shown));
        }
    }
    findings
}

/// Beside the file and renamed, so that a reader never sees half of it.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    if file.metadata().is_ok_and(|it| !it.is_file()) {
        return std::fs::write(file, text);
    }
    let mut draft = file.as_os_str().to_owned();
    draft.push(format!(".{}.tmp", std::process::id()));
    let draft = PathBuf::from(draft);
    std::fs::write(&draft, text)?;
    std::fs::rename(&draft, file)
}
