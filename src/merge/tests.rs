//! Given these reports of jobs, when they are joined, then this is the verdict.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use jiff::SignedDuration;

use super::*;
use crate::domain::{Digest, EnvironmentName, MigrationSetSummary, TenantName, Tool};
use crate::exit::Exit;
use crate::rollout;

fn name(text: &str) -> TenantName {
    TenantName::parse(text).unwrap()
}

fn report(checks: Vec<Check>, outcomes: Vec<Outcome>) -> Report {
    Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool {
            name: "tenantgate".into(),
            version: "1.0.0".into(),
        },
        project: "desk".into(),
        command: "migrate".into(),
        environment: EnvironmentName::parse("uat").unwrap(),
        verdict: gate::verdict(&checks, &outcomes),
        started_at: "2026-03-01T10:00:00Z".parse().unwrap(),
        duration_ms: 1_000,
        commit: Some("0123".into()),
        run_url: None,
        server: None,
        servers: std::collections::BTreeMap::new(),
        dry_run: false,
        scope: None,
        shard: None,
        merged: None,
        migration_set: Some(MigrationSetSummary {
            digest: Digest(format!("sha256:{}", "3f".repeat(32))),
            shared: 1,
            tenant: 2,
        }),
        checks,
        tenants: None,
        outcomes,
        plan: None,
        standings: None,
        promotion: None,
        overridden: None,
        schema: None,
        evidence: None,
    }
}

fn passed() -> Vec<Check> {
    [&rollout::LEASE, &rollout::SHARED, &rollout::TENANTS]
        .map(|check| Check::answered(check, Vec::new()))
        .to_vec()
}

fn outcome(tenant: &str, state: OutcomeState, retries: u32) -> Outcome {
    Outcome {
        tenant: Some(name(tenant)),
        state,
        applied: Vec::new(),
        head: None,
        duration_ms: 5,
        undone: Vec::new(),
        retries,
        rows: None,
        server: None,
        error: None,
    }
}

fn shared() -> Report {
    Report {
        scope: Some(Scope::Shared),
        tenants: Some(TenantCounts {
            discovered: 7,
            skipped: 7,
            ..TenantCounts::default()
        }),
        ..report(passed()[..2].to_vec(), Vec::new())
    }
}

/// Of the tenants in its outcomes, and one that is up to date.
fn shard(text: &str, report: Report) -> Report {
    let migrated = report.outcomes.len();
    Report {
        shard: Some(text.parse().unwrap()),
        tenants: Some(TenantCounts {
            discovered: migrated + 1,
            migrated,
            up_to_date: 1,
            ..TenantCounts::default()
        }),
        ..report
    }
}

/// The shared job and two shards; each may be changed before they are joined.
fn three(change: impl Fn(&mut [Report; 3])) -> Result<Report, MergeError> {
    let mut reports = [
        shared(),
        shard(
            "1/2",
            report(passed(), vec![outcome("a", OutcomeState::Migrated, 2)]),
        ),
        shard(
            "2/2",
            report(passed(), vec![outcome("b", OutcomeState::Migrated, 1)]),
        ),
    ];
    change(&mut reports);
    let [a, b, c] = reports;
    // The order of the files is of no matter.
    merge(vec![
        ("2.json".into(), c),
        ("shared.json".into(), a),
        ("1.json".into(), b),
    ])
}

fn messages(report: &Report, id: &str) -> Vec<String> {
    let check = report.checks.iter().find(|check| check.id == id).unwrap();
    check
        .findings
        .iter()
        .map(|finding| finding.message.clone())
        .collect()
}

#[test]
fn counts_are_added_and_durations_are_the_longest_and_the_sum() {
    let joined = three(|reports| {
        reports[1].duration_ms = 5_000;
        reports[0].started_at -= SignedDuration::from_secs(60);
    })
    .unwrap();
    assert_eq!(joined.verdict, Verdict::Passed);
    let tenants = joined.tenants.unwrap();
    assert_eq!(
        (tenants.discovered, tenants.migrated, tenants.up_to_date),
        (4, 2, 2)
    );
    assert_eq!(tenants.skipped, 0, "the shared job's are all somebody else's");
    let merged = joined.merged.unwrap();
    assert_eq!(
        (joined.duration_ms, merged.total_ms, merged.retries),
        (5_000, 7_000, 3)
    );
    assert_eq!(merged.shards, Some(2));
    assert_eq!(joined.started_at, "2026-03-01T09:59:00Z".parse().unwrap());
    let parts: Vec<_> = merged
        .parts
        .iter()
        .map(|part| part.shard.map(|it| it.to_string()))
        .collect();
    assert_eq!(parts, [None, Some("1/2".to_owned()), Some("2/2".to_owned())]);
    assert_eq!(joined.outcomes.len(), 2);
    assert_eq!(joined.command, "migrate", "nothing was validated");
    let ids: Vec<_> = joined.checks.iter().map(|check| check.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "rollout.lease",
            "rollout.shared",
            "rollout.tenants",
            "merge.complete"
        ]
    );
}

#[test]
fn a_job_without_a_report_blocks_by_name() {
    let reports = || vec![("1.json".to_owned(), shard("1/3", report(passed(), Vec::new())))];
    let joined = merge(reports()).unwrap();
    assert_eq!(Exit::of(&joined), Exit::Blocked);
    assert_eq!(
        messages(&joined, "merge.complete"),
        [
            "the shared job left no report",
            "shard 2/3 left no report",
            "shard 3/3 left no report"
        ]
    );
    let alone = merge(vec![("shared.json".into(), shared())]).unwrap();
    assert_eq!(messages(&alone, "merge.complete"), ["no shard left a report"]);
    assert_eq!(alone.verdict, Verdict::Blocked);
    assert_eq!(alone.tenants, None);
    assert_eq!(merge(Vec::new()), Err(MergeError::Nothing));
}

#[test]
fn the_worst_answer_counts_and_a_finding_of_all_is_said_once() {
    let everywhere = || Finding::warning("the disk is nearly full");
    let here = Finding::error("no lease").operational(true);
    let joined = three(|reports| {
        for report in reports.iter_mut() {
            report.checks[1] = Check::answered(&rollout::SHARED, vec![everywhere()]);
        }
        reports[2].checks[0] = Check::answered(&rollout::LEASE, vec![here.clone()]);
        reports[2].verdict = Verdict::Blocked;
    })
    .unwrap();
    assert_eq!(joined.verdict, Verdict::Blocked);
    assert_eq!(Exit::of(&joined), Exit::Unanswered, "as that job's own");
    assert_eq!(messages(&joined, "rollout.lease"), ["no lease (shard 2/2)"]);
    assert_eq!(messages(&joined, "rollout.shared"), ["the disk is nearly full"]);
    let status = |id: &str| joined.checks.iter().find(|check| check.id == id).unwrap().status;
    assert_eq!(status("rollout.lease"), CheckStatus::Failed);
    assert_eq!(status("rollout.shared"), CheckStatus::Warned);
    assert_eq!(status("rollout.tenants"), CheckStatus::Passed);
    assert_eq!(status("merge.complete"), CheckStatus::Passed);
}

#[test]
fn a_failed_tenant_blocks_and_comes_first() {
    let joined = three(|reports| {
        let finding = Finding::error("a constraint").tenant(&name("b"));
        reports[2].checks[2] = Check::answered(&rollout::TENANTS, vec![finding]);
        reports[2].outcomes = vec![outcome("b", OutcomeState::Failed, 0)];
        reports[2].verdict = Verdict::Blocked;
    })
    .unwrap();
    assert_eq!(Exit::of(&joined), Exit::Blocked);
    assert_eq!(joined.outcomes[0].state, OutcomeState::Failed);
    assert_eq!(
        messages(&joined, "rollout.tenants"),
        ["a constraint"],
        "the tenant tells"
    );
}

/// Shard 1 asked what shard 2 did not come to: joined, the question has an answer.
#[test]
fn a_shard_that_did_not_ask_blocks_although_another_did() {
    let joined = three(|reports| {
        reports[2].checks[2] = Check::skipped(&rollout::TENANTS);
        reports[2].verdict = Verdict::Blocked;
    })
    .unwrap();
    assert_eq!(joined.verdict, Verdict::Blocked);
    assert_eq!(
        messages(&joined, "merge.complete"),
        ["shard 2/2 is blocked: it did not ask rollout.tenants"]
    );
    let joined = three(|reports| {
        for report in reports.iter_mut().skip(1) {
            report.checks[2] = Check::skipped(&rollout::TENANTS);
            report.verdict = Verdict::Blocked;
        }
    });
    assert_eq!(joined.unwrap().checks[2].status, CheckStatus::Skipped);
    let joined = three(|reports| reports[1].verdict = Verdict::Blocked).unwrap();
    assert_eq!(
        messages(&joined, "merge.complete"),
        ["shard 1/2 is blocked: its report does not say by what"]
    );
}

#[test]
fn what_does_not_belong_together_is_refused_by_both_files() {
    type Change = fn(&mut Report);
    let changes: [(&str, Change); 7] = [
        ("project", |it| it.project = "other".into()),
        ("environment", |it| {
            it.environment = EnvironmentName::parse("dev").unwrap()
        }),
        ("tenantgate's version", |it| it.tool.version = "1.0.1".into()),
        ("commit", |it| it.commit = Some("4567".into())),
        ("workflow run", |it| {
            it.run_url = Some("https://example.com/runs/2".into())
        }),
        ("migration set", |it| {
            it.migration_set.as_mut().unwrap().digest = Digest("sha256:00".into())
        }),
        ("number of shards", |it| it.shard = "2/3".parse().ok()),
    ];
    for (what, change) in changes {
        let error = three(|reports| {
            reports[1].run_url = Some("https://example.com/runs/1".into());
            change(&mut reports[2]);
        });
        let error = error.unwrap_err().to_string();
        assert!(error.contains("`2.json`") && error.contains(what), "{error}");
    }
    let one = three(|reports| reports[2].commit = None).unwrap();
    assert_eq!(one.commit.as_deref(), Some("0123"), "not every caller knows it");
    let error = |change: fn(&mut Report)| three(|reports| change(&mut reports[2])).unwrap_err().to_string();
    assert_eq!(
        error(|it| it.shard = "1/2".parse().ok()),
        "shard 1/2 has two reports: `1.json` and `2.json`"
    );
    assert_eq!(
        error(|it| it.shard = None),
        "`2.json` is of `migrate`, which is no part of a matrix"
    );
    assert!(error(|it| it.command = "run".into()).contains("is of `run`"));
    assert_eq!(
        error(|it| it.dry_run = true),
        "`2.json` is a dry run, which did nothing"
    );
    assert!(error(|it| it.schema_version = 99).contains("schema version 99"));
}

#[test]
fn a_report_that_says_more_than_it_shows_blocks() {
    type Change = fn(&mut Report);
    fn counts(report: &mut Report) -> &mut TenantCounts {
        report.tenants.as_mut().unwrap()
    }
    let changes: [(&str, Change); 11] = [
        ("no counts", |it| it.tenants = None),
        ("more tenants than are accounted for", |it| {
            counts(it).discovered = 9
        }),
        ("fewer", |it| counts(it).discovered = 0),
        ("tenants counted up to date too", |it| counts(it).up_to_date = 2),
        ("migrated ones that it does not name", |it| {
            counts(it).migrated = 2;
            counts(it).discovered = 3;
        }),
        ("named ones that it does not count", |it| {
            it.outcomes.push(outcome("c", OutcomeState::Migrated, 0))
        }),
        ("failed ones", |it| {
            (counts(it).failed, counts(it).discovered) = (1, 3)
        }),
        ("not reached ones", |it| {
            (counts(it).not_reached, counts(it).discovered) = (1, 3)
        }),
        ("a failed outcome", |it| {
            it.outcomes[0].state = OutcomeState::Failed
        }),
        ("no checks", |it| it.checks.clear()),
        ("no migration set", |it| it.migration_set = None),
    ];
    for (what, change) in changes {
        let joined = three(|reports| change(&mut reports[2])).unwrap();
        assert_eq!(joined.verdict, Verdict::Blocked, "{what}");
        assert_eq!(
            messages(&joined, "merge.complete"),
            ["shard 2/2 says passed, and what it reports does not"],
            "{what}"
        );
    }
}

#[test]
fn absurd_numbers_are_no_crash() {
    let most = usize::MAX;
    let joined = three(|reports| {
        for report in reports.iter_mut() {
            report.duration_ms = u64::MAX;
            report.tenants = Some(TenantCounts {
                discovered: most,
                up_to_date: most,
                migrated: most,
                failed: most,
                skipped: most,
                not_reached: most,
                suspended: most,
                rolled_back: most,
                baselined: most,
            });
        }
        reports[1].outcomes[0].retries = u32::MAX;
    })
    .unwrap();
    assert_eq!(joined.verdict, Verdict::Blocked);
    assert_eq!(messages(&joined, "merge.complete").len(), 2, "of both shards");
    assert_eq!(joined.tenants.unwrap().failed, most);
    let merged = joined.merged.unwrap();
    assert_eq!((merged.total_ms, merged.retries), (u64::MAX, u32::MAX));
}
