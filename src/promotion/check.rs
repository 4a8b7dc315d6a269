//! Does the predecessor's evidence cover this change? Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::words::count;
use crate::domain::{
    Check, Digest, EnvironmentName, Finding, MigrationSet, PromotionSummary, Scope, Verdict, Version,
};

use super::{EVIDENCE, Evidence, MAX_AGE, RecordedMigration, Records, SOAK};

/// What is demanded of the predecessor.
#[derive(Debug, Clone)]
pub struct Demands<'a> {
    pub project: &'a str,
    pub after: &'a EnvironmentName,
    pub soak: Option<Duration>,
    pub max_age: Option<Duration>,
}

#[derive(Debug)]
pub struct Promotion {
    pub checks: Vec<Check>,
    pub summary: PromotionSummary,
}

/// Judges the predecessor's records at one moment.
pub fn judge(demands: &Demands<'_>, set: &MigrationSet, records: &Records, now: Timestamp) -> Promotion {
    let digest = set.digest();
    let ours = |it: &&Evidence| it.predicate.project == demands.project;
    let mut evidence: Vec<&Evidence> = records.evidence.iter().filter(ours).collect();
    evidence.sort_by_key(|it| it.predicate.finished_at);
    let same: Vec<&Evidence> = evidence
        .iter()
        .copied()
        .filter(|it| it.digest == digest)
        .collect();
    let mut findings: Vec<Finding> = records
        .unreadable
        .iter()
        .map(|(place, why)| unreadable(place, why, &digest))
        .collect();
    // By a clock that is wrong: it would count as the newest until that day comes.
    let from_the_future = same
        .iter()
        .filter(|it| it.predicate.finished_at.duration_since(now) > LARGEST_SKEW);
    findings.extend(from_the_future.map(|it| future(demands, it)));
    let mut summary = PromotionSummary {
        after: demands.after.clone(),
        passed_at: None,
        run_url: None,
    };
    let passed = same.last().copied().filter(|it| shows_pass(it));
    let Some(passed) = passed else {
        findings.push(refusal(demands, set, &digest, &evidence, same.last().copied()));
        let checks = vec![
            Check::answered(&EVIDENCE, findings),
            Check::skipped(&SOAK),
            Check::skipped(&MAX_AGE),
        ];
        return Promotion { checks, summary };
    };
    summary.passed_at = Some(passed.predicate.finished_at);
    summary.run_url.clone_from(&passed.predicate.run_url);
    // It has stood there since it first passed, unless it failed in between.
    let unbroken = same.iter().rev().take_while(|it| shows_pass(it));
    let since = unbroken
        .last()
        .map_or(passed.predicate.finished_at, |it| it.predicate.finished_at);
    let checks = vec![
        Check::answered(&EVIDENCE, findings),
        Check::answered(&SOAK, soak(demands, since, now).into_iter().collect()),
        Check::answered(
            &MAX_AGE,
            max_age(demands, passed.predicate.finished_at, now)
                .into_iter()
                .collect(),
        ),
    ];
    Promotion { checks, summary }
}

/// A pass that left no tenant out.
fn shows_pass(evidence: &Evidence) -> bool {
    let tenants = &evidence.predicate.tenants;
    let covered = tenants.up_to_date + tenants.migrated == tenants.discovered;
    evidence.predicate.verdict == Verdict::Passed && covered
}

/// Clocks of machines that are looked after differ by less.
const LARGEST_SKEW: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

fn future(demands: &Demands<'_>, evidence: &Evidence) -> Finding {
    let at = evidence.predicate.finished_at.strftime("%Y-%m-%d %H:%M UTC");
    Finding::error(format!(
        "{}'s evidence of this migration set is from the future ({at})",
        demands.after
    ))
    .hint(format!(
        "mend the clock that is wrong, here or there; remove that record, and run `tenantgate run --environment {}` again",
        demands.after
    ))
}

/// A record whose name says that it is of this very set may be a refusal, so it is not passed over.
fn unreadable(place: &str, why: &super::UnreadableEvidence, digest: &Digest) -> Finding {
    let of_this_set = place.ends_with(&format!("-{}.json", digest.short()));
    let elsewhere = matches!(why, super::UnreadableEvidence::Environment(_));
    if of_this_set && !elsewhere {
        return Finding::error(format!("a record of this migration set cannot be read: {why}"))
            .hint("fetch the folder of evidence again, or run the environment before again and remove this file")
            .file(place);
    }
    Finding::warning(format!("a record is not evidence and counts for nothing: {why}")).file(place)
}

fn refusal(
    demands: &Demands<'_>,
    set: &MigrationSet,
    digest: &Digest,
    evidence: &[&Evidence],
    same: Option<&Evidence>,
) -> Finding {
    let after = demands.after;
    let hint = format!("run `tenantgate run --environment {after}` with exactly these migrations first");
    if let Some(same) = same {
        let at = same.predicate.finished_at.strftime("%Y-%m-%d %H:%M UTC");
        let message = format!("{after} was blocked with this change in its last run, at {at}");
        return Finding::error(message).hint(format!("mend what blocked {after}, and {hint}"));
    }
    let passed = evidence.iter().rev().find(|it| shows_pass(it));
    let Some(passed) = passed else {
        let message = format!(
            "{after} has not passed with this migration set ({})",
            digest.short()
        );
        return Finding::error(message).hint(hint);
    };
    let recorded = &passed.predicate.migrations;
    let differences = differences(recorded, &RecordedMigration::all(set));
    let message = format!(
        "{after} passed with {}; this change has {}: {}",
        count(recorded.len(), "migration"),
        set.iter().count(),
        differences.join(", ")
    );
    let only_added = differences.iter().all(|line| line.starts_with('+'));
    let restore =
        format!("restore what {after} has applied already, and put the change into a new migration; then ");
    Finding::error(message).hint(if only_added { hint } else { restore + &hint })
}

/// `+` only here, `-` only there, `~` in both with another content.
fn differences(there: &[RecordedMigration], here: &[RecordedMigration]) -> Vec<String> {
    type Key = (Scope, Version);
    let by_key = |all: &'_ [RecordedMigration]| -> BTreeMap<Key, RecordedMigration> {
        all.iter()
            .map(|it| ((it.scope, it.version), it.clone()))
            .collect()
    };
    let (there, here) = (by_key(there), by_key(here));
    let mut lines = Vec::new();
    for (key, migration) in &here {
        match there.get(key) {
            None => lines.push(format!("+ {}", migration.label())),
            Some(before) if before.checksum != migration.checksum => {
                lines.push(format!("~ {} (edited)", migration.label()));
            }
            Some(before) if before.name != migration.name => {
                lines.push(format!("~ {} (was {})", migration.label(), before.label()));
            }
            Some(_) => {}
        }
    }
    let gone = there.iter().filter(|(key, _)| !here.contains_key(*key));
    lines.extend(gone.map(|(_, migration)| format!("- {}", migration.label())));
    lines
}

fn soak(demands: &Demands<'_>, since: Timestamp, now: Timestamp) -> Option<Finding> {
    let soak = demands.soak?;
    let stood = stood(since, now);
    (stood < soak).then(|| {
        let ready = since.checked_add(soak).map_or_else(
            |_| "later".to_owned(),
            |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        );
        Finding::error(format!(
            "the change has stood in {} for {}, and must for {}",
            demands.after,
            rough(stood),
            rough(soak)
        ))
        .hint(format!("try again from {ready} on"))
    })
}

fn max_age(demands: &Demands<'_>, passed: Timestamp, now: Timestamp) -> Option<Finding> {
    let max_age = demands.max_age?;
    let age = stood(passed, now);
    (age > max_age).then(|| {
        Finding::error(format!(
            "{}'s evidence is {} old, and may be {}",
            demands.after,
            rough(age),
            rough(max_age)
        ))
        .hint(format!(
            "run `tenantgate run --environment {}` again",
            demands.after
        ))
    })
}

/// A record from the future, by a clock that is wrong, has stood for no time.
fn stood(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

/// `3 d 4 h`: the two largest units.
fn rough(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (
        seconds / 86_400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    ) {
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, hours, _, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Checksum, Migration, TenantCounts};
    use crate::promotion::evidence::Predicate;

    fn migration(version: u64, sql: &str) -> Migration {
        Migration {
            scope: Scope::Tenant,
            version: Version(version),
            name: "step".into(),
            file: String::new(),
            sql: sql.into(),
            statements: vec![],
            checksum: Checksum::of(sql),
            transactional: true,
        }
    }

    fn set(migrations: &[(u64, &str)]) -> MigrationSet {
        let tenant = migrations
            .iter()
            .map(|(version, sql)| migration(*version, sql))
            .collect();
        MigrationSet {
            shared: vec![],
            tenant,
        }
    }

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + hour * 3600).expect("a time")
    }

    fn evidence(set: &MigrationSet, verdict: Verdict, hour: i64) -> Evidence {
        let predicate = Predicate {
            project: "meats".into(),
            environment: EnvironmentName::parse("uat").expect("a name"),
            verdict,
            finished_at: at(hour),
            tenants: TenantCounts {
                discovered: 2,
                up_to_date: 1,
                migrated: 1,
                ..TenantCounts::default()
            },
            migrations: RecordedMigration::all(set),
            tool: "0.1.0".into(),
            commit: None,
            run_url: None,
            actor: None,
        };
        Evidence {
            digest: set.digest(),
            predicate,
        }
    }

    fn verdict(
        set: &MigrationSet,
        evidence: Vec<Evidence>,
        soak: Option<u64>,
        max_age: Option<u64>,
    ) -> Vec<String> {
        let after = EnvironmentName::parse("uat").expect("a name");
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let demands = Demands {
            project: "meats",
            after: &after,
            soak: soak.map(hours),
            max_age: max_age.map(hours),
        };
        let records = Records {
            evidence,
            unreadable: vec![],
        };
        let promotion = judge(&demands, set, &records, at(10));
        let failed = promotion.checks.into_iter().filter(Check::blocks);
        failed
            .flat_map(|check| {
                check
                    .findings
                    .into_iter()
                    .map(move |it| format!("{}: {}", check.id, it.message))
            })
            .collect()
    }

    #[test]
    fn the_same_set_that_passed_goes_on() {
        let set = set(&[(1, "a")]);
        let records = vec![evidence(&set, Verdict::Passed, 0)];
        assert!(verdict(&set, records, Some(9), Some(11)).is_empty());
    }

    #[test]
    fn nothing_recorded_blocks() {
        let found = verdict(&set(&[(1, "a")]), vec![], None, None);
        assert!(
            found[0].starts_with("promotion.evidence: uat has not passed with this migration set"),
            "{found:?}"
        );
    }

    #[test]
    fn what_differs_is_named() {
        let before = set(&[(1, "a"), (2, "b"), (4, "d")]);
        let now = set(&[(1, "a"), (2, "x"), (3, "c")]);
        let found = verdict(&now, vec![evidence(&before, Verdict::Passed, 0)], None, None);
        assert_eq!(
            found,
            [
                "promotion.evidence: uat passed with 3 migrations; this change has 3: ~ tenant/0002_step.sql (edited), + tenant/0003_step.sql, - tenant/0004_step.sql"
            ]
        );
    }

    #[test]
    fn a_later_failure_with_the_same_set_counts() {
        let set = set(&[(1, "a")]);
        let records = vec![
            evidence(&set, Verdict::Passed, 0),
            evidence(&set, Verdict::Blocked, 1),
        ];
        assert!(
            verdict(&set, records, None, None)[0].contains("was blocked with this change in its last run")
        );
    }

    #[test]
    fn a_pass_that_left_tenants_out_is_none() {
        let set = set(&[(1, "a")]);
        let mut partial = evidence(&set, Verdict::Passed, 0);
        partial.predicate.tenants.discovered = 3;
        assert_eq!(verdict(&set, vec![partial], None, None).len(), 1);
    }

    #[test]
    fn another_projects_evidence_is_none() {
        let set = set(&[(1, "a")]);
        let mut other = evidence(&set, Verdict::Passed, 0);
        other.predicate.project = "captions".into();
        assert_eq!(verdict(&set, vec![other], None, None).len(), 1);
    }

    #[test]
    fn soak_and_age_are_bounds() {
        let set = set(&[(1, "a")]);
        let passed = || vec![evidence(&set, Verdict::Passed, 8)];
        assert_eq!(
            verdict(&set, passed(), Some(3), None),
            ["promotion.soak: the change has stood in uat for 2 h 0 min, and must for 3 h 0 min"]
        );
        assert_eq!(
            verdict(&set, passed(), None, Some(1)),
            ["promotion.max-age: uat's evidence is 2 h 0 min old, and may be 1 h 0 min"]
        );
        // A second pass does not begin the soak anew.
        let twice = vec![
            evidence(&set, Verdict::Passed, 0),
            evidence(&set, Verdict::Passed, 9),
        ];
        assert!(verdict(&set, twice, Some(8), Some(2)).is_empty());
    }

    #[test]
    fn an_envelope_comes_back() {
        let evidence = evidence(&set(&[(1, "a")]), Verdict::Passed, 0);
        let text = evidence.to_envelope().expect("written");
        assert_eq!(Evidence::from_envelope(&text).expect("read"), evidence);
        assert!(Evidence::from_envelope("{}").is_err());
        assert!(Evidence::from_envelope(&text.replace("in-toto", "other")).is_err());
    }
}
