//! How long the comment and the step summary of a flood take: 3,000 tenants that failed, each with
//! 2 KB of text that would like to be Markdown.
//!
//!     cargo bench --bench render
//!
//! Prints both medians. The bar is 100 ms for each.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark talks to whoever started it"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use tenantgate::domain::{
    Check, CheckDefinition, EnvironmentName, Finding, Outcome, OutcomeState, Report, SCHEMA_VERSION,
    TenantCounts, TenantName, Tool, Verdict, Version,
};
use tenantgate::report::comment::{Comment, LIMIT_CHARS, RunId};
use tenantgate::report::markdown;

const RUNS: usize = 21;
const TENANTS: usize = 3_000;
const SUMMARY_LIMIT: usize = 1024 * 1024;
const CHECK: CheckDefinition = CheckDefinition {
    id: "rollout.tenants",
    title: "every tenant was migrated",
};

fn main() {
    let report = flood();
    let environments = [report.environment.clone()];
    let comment = || {
        let mut comment = Comment::new(&report.project, &environments);
        comment.update(&report, RunId { id: 1, attempt: 1 }, &environments);
        comment.render(LIMIT_CHARS)
    };
    let summary = || markdown::render(&report, SUMMARY_LIMIT);
    measure("comment", comment);
    measure("step summary", summary);
}

fn measure(name: &str, render: impl Fn() -> String) {
    let mut took: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let begun = Instant::now();
            black_box(render());
            begun.elapsed()
        })
        .collect();
    took.sort();
    let text = render();
    println!(
        "{name}: median {:.1} ms of {RUNS}, {} characters, {} bytes",
        took[RUNS / 2].as_secs_f64() * 1e3,
        text.chars().count(),
        text.len()
    );
}

fn flood() -> Report {
    let name = |n: usize| TenantName::parse(&format!("tenant_{n:04}")).unwrap();
    let message = |n: usize| {
        let piece = "</details><!-- @octocat #1 | ``` **x** [y](https://e.example) <img src=x>\n";
        format!("tenant number {n}: {}", piece.repeat(2_048 / piece.len() + 1))
    };
    let finding = |n: usize| {
        Finding::error(message(n))
            .tenant(&name(n))
            .file("migrations/tenant/0039_step.sql")
            .at(1, 1)
    };
    let outcome = |n: usize| Outcome {
        tenant: Some(name(n)),
        server: None,
        state: OutcomeState::Failed,
        undone: Vec::new(),
        applied: Vec::new(),
        head: Some(Version(38)),
        duration_ms: 20,
        retries: 0,
        rows: None,
        error: Some(message(n)),
    };
    Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool {
            name: "tenantgate".into(),
            version: "1.0.0".into(),
        },
        project: "flood".into(),
        command: "run".into(),
        environment: EnvironmentName::parse("uat").unwrap(),
        verdict: Verdict::Blocked,
        started_at: "2026-03-01T10:00:00Z".parse().unwrap(),
        duration_ms: 60_000,
        commit: None,
        run_url: Some("https://github.com/o/r/actions/runs/1".into()),
        server: None,
        servers: BTreeMap::new(),
        dry_run: false,
        scope: None,
        shard: None,
        merged: None,
        migration_set: None,
        checks: vec![Check::answered(&CHECK, (0..TENANTS).map(finding).collect())],
        tenants: Some(TenantCounts {
            discovered: TENANTS,
            failed: TENANTS,
            ..TenantCounts::default()
        }),
        outcomes: (0..TENANTS).map(outcome).collect(),
        plan: None,
        standings: None,
        promotion: None,
        overridden: None,
        schema: None,
        evidence: None,
    }
}
