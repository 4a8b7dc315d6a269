//! The same question, asked by several jobs.

use crate::domain::words::listed;
use crate::domain::{Check, CheckStatus, Finding};

use super::{Job, Part};

/// One check for each id, in the order in which the jobs ask them.
pub(super) fn join(jobs: &[Job]) -> Vec<Check> {
    let mut joined: Vec<Joined<'_>> = Vec::new();
    for job in jobs {
        let mut at = 0;
        for check in &job.report.checks {
            match joined.iter().position(|it| it.check.id == check.id) {
                Some(known) => {
                    joined[known].add(job.part, check);
                    at = known + 1;
                }
                // Where this job asks it, which the jobs before did not.
                None => {
                    joined.insert(at, Joined::of(job.part, check));
                    at += 1;
                }
            }
        }
    }
    joined.into_iter().map(Joined::finish).collect()
}

struct Joined<'a> {
    check: Check,
    /// Who asked it.
    asked: Vec<Part>,
    findings: Vec<(&'a Finding, Vec<Part>)>,
}

impl<'a> Joined<'a> {
    fn of(part: Part, check: &'a Check) -> Self {
        let first = Check {
            findings: Vec::new(),
            ..check.clone()
        };
        let mut joined = Self {
            check: first,
            asked: Vec::new(),
            findings: Vec::new(),
        };
        joined.add(part, check);
        joined
    }

    fn add(&mut self, part: Part, check: &'a Check) {
        self.check.status = worse(self.check.status, check.status);
        self.check.duration_ms = self.check.duration_ms.max(check.duration_ms);
        if check.status != CheckStatus::Skipped {
            self.asked.push(part);
        }
        for finding in &check.findings {
            match self.findings.iter_mut().find(|(known, _)| *known == finding) {
                Some((_, parts)) => parts.push(part),
                None => self.findings.push((finding, vec![part])),
            }
        }
    }

    fn finish(self) -> Check {
        let asked = self.asked.len();
        let findings = self
            .findings
            .into_iter()
            .map(|(finding, parts)| located(finding, &parts, asked));
        let findings = findings.collect();
        Check {
            findings,
            ..self.check
        }
    }
}

/// A skipped check is no answer, and any answer is more. That a job was blocked because it did not ask is
/// not lost: see `super::complete`.
fn worse(one: CheckStatus, other: CheckStatus) -> CheckStatus {
    let rank = |status| match status {
        CheckStatus::Skipped => 0,
        CheckStatus::Passed => 1,
        CheckStatus::Warned => 2,
        CheckStatus::Failed => 3,
    };
    if rank(other) > rank(one) { other } else { one }
}

/// Where not every job that asked found it, and no tenant tells, it says which did.
fn located(finding: &Finding, parts: &[Part], asked: usize) -> Finding {
    let mut finding = finding.clone();
    let shards: Vec<String> = parts
        .iter()
        .filter_map(|part| part.shard())
        .map(|shard| shard.to_string())
        .collect();
    if finding.tenant.is_none() && parts.len() < asked && shards.len() == parts.len() {
        let noun = if shards.len() == 1 { "shard" } else { "shards" };
        finding.message = format!("{} ({noun} {})", finding.message, listed(&shards, 5));
    }
    finding
}
