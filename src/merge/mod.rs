//! The reports of a matrix's jobs become one report with one verdict. Pure.
//!
//! Closed as the gate itself: a job that left no report blocks, and so does one that was blocked, whatever
//! the others say.

mod checks;

use crate::domain::words::listed;
use crate::domain::{
    Check, CheckDefinition, CheckStatus, Finding, Merged, MergedPart, Outcome, OutcomeState, Report,
    SCHEMA_VERSION, Scope, Shard, TenantCounts, Verdict,
};
use crate::gate;

pub const COMPLETE: CheckDefinition = CheckDefinition {
    id: "merge.complete",
    title: "the shared job and every shard gave an answer",
};

pub const CHECKS: &[CheckDefinition] = &[COMPLETE];

/// Why reports are not those of one matrix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    #[error("there is no report to join")]
    Nothing,
    #[error("`{file}` has schema version {found}, and this tenantgate reads {SCHEMA_VERSION}")]
    Schema { file: String, found: u32 },
    #[error("`{file}` is of `{what}`, which is no part of a matrix")]
    NoPart { file: String, what: String },
    #[error("`{file}` is a dry run, which did nothing")]
    DryRun { file: String },
    #[error("`{first}` and `{second}` differ in {what}: {one} and {other}")]
    Different {
        first: String,
        second: String,
        what: &'static str,
        one: String,
        other: String,
    },
    #[error("{part} has two reports: `{first}` and `{second}`")]
    Twice {
        part: String,
        first: String,
        second: String,
    },
}

impl MergeError {
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Nothing => "name the reports of all jobs, or the folder that they were downloaded into",
            Self::Schema { .. } => "use one version of tenantgate for all jobs of a workflow",
            Self::NoPart { .. } => {
                "give the reports of `migrate --scope shared` and of every `migrate --shard I/N`, and no others"
            }
            Self::DryRun { .. } => "give the reports of the jobs that migrated",
            Self::Different { .. } => {
                "only reports of one workflow run belong together: one project, environment, commit, migration \
                 set, partition and version of tenantgate"
            }
            Self::Twice { .. } => {
                "give the last attempt's only: upload it under the shard's name, with `overwrite: true`"
            }
        }
    }
}

/// Which job a report is of; the shared one comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Shared,
    Shard(Shard),
}

impl Part {
    fn of(file: &str, report: &Report) -> Result<Self, MergeError> {
        match (
            report.command.as_str(),
            report.scope,
            report.shard,
            &report.merged,
        ) {
            ("migrate", Some(Scope::Shared), None, None) => Ok(Self::Shared),
            ("migrate", None, Some(shard), None) => Ok(Self::Shard(shard)),
            (command, scope, ..) => Err(MergeError::NoPart {
                file: file.to_owned(),
                what: match (&report.merged, scope) {
                    (Some(_), _) => "report merge".to_owned(),
                    (None, Some(scope)) => format!("{command} --scope {scope}"),
                    (None, None) => command.to_owned(),
                },
            }),
        }
    }

    fn shard(self) -> Option<Shard> {
        match self {
            Self::Shared => None,
            Self::Shard(shard) => Some(shard),
        }
    }

    fn name(self) -> String {
        match self {
            Self::Shared => "the shared job".to_owned(),
            Self::Shard(shard) => format!("shard {shard}"),
        }
    }
}

/// One job's report and the file that it is from.
struct Job {
    part: Part,
    file: String,
    report: Report,
}

/// Joins reports, each with the name of its file.
pub fn merge(reports: Vec<(String, Report)>) -> Result<Report, MergeError> {
    let mut jobs = Vec::with_capacity(reports.len());
    for (file, report) in reports {
        if report.schema_version != SCHEMA_VERSION {
            let found = report.schema_version;
            return Err(MergeError::Schema { file, found });
        }
        if report.dry_run {
            return Err(MergeError::DryRun { file });
        }
        let part = Part::of(&file, &report)?;
        jobs.push(Job { part, file, report });
    }
    jobs.sort_by(|a, b| (a.part, &a.file).cmp(&(b.part, &b.file)));
    agree(&jobs)?;
    once(&jobs)?;
    join(jobs).ok_or(MergeError::Nothing)
}

/// What a job says of itself, where it does.
type Fact = fn(&Job) -> Option<String>;

/// All of one project, environment, commit, set, partition and program, as far as they say so.
fn agree(jobs: &[Job]) -> Result<(), MergeError> {
    let facts: [(&'static str, Fact); 7] = [
        ("project", |job| Some(job.report.project.clone())),
        ("environment", |job| {
            Some(job.report.environment.as_str().to_owned())
        }),
        ("tenantgate's version", |job| {
            Some(job.report.tool.version.clone())
        }),
        ("commit", |job| job.report.commit.clone()),
        ("workflow run", |job| job.report.run_url.clone()),
        ("migration set", |job| {
            let set = job.report.migration_set.as_ref();
            set.map(|set| set.digest.short().to_owned())
        }),
        ("number of shards", |job| {
            job.part.shard().map(|shard| shard.number().to_string())
        }),
    ];
    for (what, fact) in facts {
        let mut known = jobs.iter().filter_map(|job| Some((job, fact(job)?)));
        let Some((first, one)) = known.next() else {
            continue;
        };
        if let Some((second, other)) = known.find(|(_, it)| *it != one) {
            return Err(MergeError::Different {
                first: first.file.clone(),
                second: second.file.clone(),
                what,
                one,
                other,
            });
        }
    }
    Ok(())
}

fn once(jobs: &[Job]) -> Result<(), MergeError> {
    match jobs.windows(2).find(|pair| pair[0].part == pair[1].part) {
        None => Ok(()),
        Some(pair) => Err(MergeError::Twice {
            part: pair[0].part.name(),
            first: pair[0].file.clone(),
            second: pair[1].file.clone(),
        }),
    }
}

/// None: there was nothing to join.
fn join(mut jobs: Vec<Job>) -> Option<Report> {
    let mut checks = checks::join(&jobs);
    checks.push(Check::answered(&COMPLETE, complete(&jobs)));
    let merged = merged(&jobs);
    let counts: Vec<&TenantCounts> = jobs
        .iter()
        .filter(|job| job.part != Part::Shared)
        .filter_map(|job| job.report.tenants.as_ref())
        .collect();
    let tenants = (!counts.is_empty()).then(|| sum(&counts));
    let mut outcomes: Vec<Outcome> = jobs
        .iter_mut()
        .flat_map(|job| std::mem::take(&mut job.report.outcomes))
        .collect();
    // As in any report: what needs somebody first.
    outcomes.sort_by_key(|outcome| match outcome.state {
        OutcomeState::Failed => 0,
        OutcomeState::NotReached => 1,
        _ => 2,
    });
    let started_at = jobs.iter().map(|job| job.report.started_at).min()?;
    let duration_ms = jobs.iter().map(|job| job.report.duration_ms).max()?;
    let mut reports = jobs.into_iter().map(|job| job.report);
    let mut whole = reports.next()?;
    for other in reports {
        whole.commit = whole.commit.or(other.commit);
        whole.run_url = whole.run_url.or(other.run_url);
        whole.server = whole.server.or(other.server);
        whole.migration_set = whole.migration_set.or(other.migration_set);
        whole.promotion = whole.promotion.or(other.promotion);
        whole.overridden = whole.overridden.or(other.overridden);
    }
    Some(Report {
        verdict: gate::verdict(&checks, &outcomes),
        started_at,
        duration_ms,
        scope: None,
        shard: None,
        merged: Some(merged),
        checks,
        tenants,
        outcomes,
        plan: None,
        standings: None,
        schema: None,
        evidence: None,
        ..whole
    })
}

fn merged(jobs: &[Job]) -> Merged {
    let part = |job: &Job| MergedPart {
        shard: job.part.shard(),
        verdict: job.report.verdict,
        started_at: job.report.started_at,
        duration_ms: job.report.duration_ms,
        run_url: job.report.run_url.clone(),
        tenants: job.report.tenants.clone().filter(|_| job.part != Part::Shared),
    };
    Merged {
        shards: shards(jobs),
        parts: jobs.iter().map(part).collect(),
        total_ms: jobs
            .iter()
            .map(|job| job.report.duration_ms)
            .fold(0, u64::saturating_add),
        retries: jobs
            .iter()
            .flat_map(|job| &job.report.outcomes)
            .map(|outcome| outcome.retries)
            .fold(0, u32::saturating_add),
    }
}

fn shards(jobs: &[Job]) -> Option<u16> {
    jobs.iter().find_map(|job| Some(job.part.shard()?.number()))
}

fn sum(counts: &[&TenantCounts]) -> TenantCounts {
    // Whatever a file says, its numbers are no crash.
    let of =
        |count: fn(&TenantCounts) -> usize| counts.iter().map(|it| count(it)).fold(0, usize::saturating_add);
    TenantCounts {
        discovered: of(|it| it.discovered),
        up_to_date: of(|it| it.up_to_date),
        migrated: of(|it| it.migrated),
        failed: of(|it| it.failed),
        skipped: of(|it| it.skipped),
        not_reached: of(|it| it.not_reached),
        suspended: of(|it| it.suspended),
        rolled_back: of(|it| it.rolled_back),
        baselined: of(|it| it.baselined),
    }
}

/// Jobs that are missing, and jobs that were blocked by something that joined checks would not show.
fn complete(jobs: &[Job]) -> Vec<Finding> {
    let left = |part: Part| jobs.iter().any(|job| job.part == part);
    let missing = |message: String| {
        Finding::error(message)
            .hint("was it cancelled, or skipped because a job before it failed? Run it again")
    };
    let none_of = |part: Part| missing(format!("{} left no report", part.name()));
    let mut findings = Vec::new();
    if !left(Part::Shared) {
        findings.push(none_of(Part::Shared));
    }
    match shards(jobs).and_then(|number| Shard::all(number).ok()) {
        None => findings.push(missing("no shard left a report".to_owned())),
        Some(all) => {
            let parts = all.into_iter().map(Part::Shard).filter(|part| !left(*part));
            findings.extend(parts.map(none_of));
        }
    }
    findings.extend(jobs.iter().filter_map(silently_blocked));
    findings.extend(jobs.iter().filter_map(says_more_than_it_shows));
    findings
}

/// A report is believed as far as its checks, counts and tenants bear it out.
fn says_more_than_it_shows(job: &Job) -> Option<Finding> {
    let report = &job.report;
    let borne_out = !report.checks.is_empty()
        && report.migration_set.is_some()
        && (job.part == Part::Shared || adds_up(report))
        && gate::verdict(&report.checks, &report.outcomes) == Verdict::Passed;
    if report.verdict != Verdict::Passed || borne_out {
        return None;
    }
    let message = format!("{} says passed, and what it reports does not", job.part.name());
    Some(Finding::error(message).hint("was the file edited? Run the job again"))
}

/// Nobody is left, every tenant is counted once, and those that were migrated are named.
fn adds_up(report: &Report) -> bool {
    let Some(counts) = &report.tenants else {
        return false;
    };
    let migrated = |it: &&Outcome| it.state == OutcomeState::Migrated && it.tenant.is_some();
    counts.failed == 0
        && counts.not_reached == 0
        && counts.accounted() == counts.discovered
        && report.outcomes.iter().filter(migrated).count() == counts.migrated
}

/// Its checks were not all asked, which those of other jobs hide.
fn silently_blocked(job: &Job) -> Option<Finding> {
    let report = &job.report;
    let says_why = report.failed_checks().next().is_some()
        || report
            .outcomes
            .iter()
            .any(|it| matches!(it.state, OutcomeState::Failed | OutcomeState::NotReached));
    if report.verdict == Verdict::Passed || says_why {
        return None;
    }
    let skipped = report
        .checks
        .iter()
        .filter(|check| check.status == CheckStatus::Skipped);
    let skipped: Vec<&str> = skipped.map(|check| check.id.as_str()).collect();
    let why = match skipped.is_empty() {
        true => "its report does not say by what".to_owned(),
        false => format!("it did not ask {}", listed(&skipped, 5)),
    };
    Some(
        Finding::error(format!("{} is blocked: {why}", job.part.name()))
            .hint("look at its log; run it again"),
    )
}

#[cfg(test)]
mod tests;
