//! Reports of a matrix's jobs.

use super::{checks, outcome, report, tenant};
use crate::domain::{
    Check, Finding, Merged, MergedPart, Outcome, OutcomeState, Report, Shard, TenantCounts, Verdict,
};

fn shard_of_eight(index: u16) -> Shard {
    format!("{index}/8").parse().expect("a shard")
}

/// One of eight jobs, whose tenants were at head.
pub(in crate::report) fn shard() -> Report {
    Report {
        shard: Some(shard_of_eight(3)),
        tenants: Some(TenantCounts {
            discovered: 125,
            up_to_date: 125,
            ..TenantCounts::default()
        }),
        ..report("migrate", checks(&[], None))
    }
}

/// Eight jobs of which one left no report, and a tenant failed in another.
pub(in crate::report) fn merged() -> Report {
    let part = |shard: Option<u16>, duration_ms| MergedPart {
        shard: shard.map(shard_of_eight),
        verdict: Verdict::Passed,
        started_at: "2026-03-01T10:00:00Z".parse().expect("a time"),
        duration_ms,
        run_url: None,
        tenants: None,
    };
    let failed =
        Finding::error("tenant/0039_step.sql: relation \"orders\" does not exist").tenant(&tenant("acme"));
    let missing = Finding::error("shard 5/8 left no report")
        .hint("was it cancelled, or skipped because a job before it failed? Run it again");
    let mut checks = checks(&[("rollout.tenants", vec![failed.clone()])], None);
    checks.push(Check::answered(&crate::merge::COMPLETE, vec![missing]));
    let error = Some(failed.message);
    Report {
        duration_ms: 61_000,
        merged: Some(Merged {
            shards: Some(8),
            parts: [
                None,
                Some(1),
                Some(2),
                Some(3),
                Some(4),
                Some(6),
                Some(7),
                Some(8),
            ]
            .map(|shard| part(shard, 61_000))
            .to_vec(),
            total_ms: 372_000,
            retries: 3,
        }),
        tenants: Some(TenantCounts {
            discovered: 875,
            migrated: 874,
            failed: 1,
            ..TenantCounts::default()
        }),
        outcomes: vec![Outcome {
            error,
            ..outcome(Some("acme"), OutcomeState::Failed, 0..0)
        }],
        ..report("migrate", checks)
    }
}
