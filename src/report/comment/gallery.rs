//! Comments as people meet them. `tests/gallery` makes pictures of them.

use super::{Comment, RunId};
use crate::domain::{
    EnvironmentName, Finding, Outcome, OutcomeState, Override, PromotionSummary, Report, TenantCounts,
    Version,
};
use crate::report::samples::{self, checks, environment, outcome, report, tenant};

const LIMIT: usize = 65_536;

fn environments() -> Vec<EnvironmentName> {
    ["dev", "uat", "prod"].map(environment).to_vec()
}

/// A comment that these runs wrote, one after the other and an hour apart.
fn comment(reports: Vec<Report>) -> String {
    let mut comment = Comment::new("meats-central", &environments());
    for (at, mut report) in reports.into_iter().enumerate() {
        let id = 4_711 + at as u64;
        report.started_at = report
            .started_at
            .checked_add(jiff::SignedDuration::from_hours(at as i64))
            .expect("a time");
        report.run_url = Some(format!("https://github.com/meats/central/actions/runs/{id}"));
        // As it is between two runs.
        comment = Comment::parse(&comment.render(LIMIT), "meats-central").expect("our own comment");
        comment.update(&report, RunId { id, attempt: 1 }, &environments());
    }
    comment.render(LIMIT)
}

fn of(name: &str, report: Report) -> Report {
    let promotion = match name {
        "prod" => Some(PromotionSummary {
            after: environment("uat"),
            ..report.promotion.clone().unwrap_or_else(|| PromotionSummary {
                after: environment("uat"),
                passed_at: None,
                run_url: None,
            })
        }),
        "dev" => None,
        _ => report.promotion.clone(),
    };
    Report {
        environment: environment(name),
        promotion,
        evidence: report
            .evidence
            .clone()
            .map(|evidence| evidence.replace("uat", name)),
        ..report
    }
}

/// The migrations were other ones then.
fn with_digest(mut report: Report, digits: &str) -> Report {
    if let Some(set) = &mut report.migration_set {
        set.digest.0 = format!("sha256:{digits}{}", "0".repeat(64 - digits.len()));
        set.tenant -= 1;
    }
    report
}

fn first_deployment() -> Vec<Report> {
    vec![of("dev", samples::first_run())]
}

fn nothing_to_do() -> Vec<Report> {
    vec![
        of("dev", samples::first_run()),
        of("uat", samples::nothing_to_do()),
    ]
}

fn pull_request_with_a_plan() -> Vec<Report> {
    let mut plan = samples::plan();
    if let Some(groups) = plan.plan.as_mut().and_then(|plan| plan.tenants.as_mut()) {
        let last = groups[0].tenants.split_off(35);
        groups.insert(
            1,
            crate::domain::PlanGroup {
                server: None,
                tenants: last,
                pending: vec!["tenant/0039_step.sql".into()],
            },
        );
    }
    vec![plan]
}

fn promotion_blocked() -> Vec<Report> {
    let finding = Finding::error(
        "uat passed with 41 migrations; this change has 42: + tenant/0042_add_priority.sql, ~ shared/0003_regions.sql",
    )
    .hint("run `tenantgate run --environment uat` with exactly these migrations first");
    let blocked = Report {
        server: None,
        ..report(
            "promote",
            checks(
                &[("promotion.evidence", vec![finding])],
                Some("promotion.evidence"),
            ),
        )
    };
    vec![
        of("dev", samples::first_run()),
        with_digest(of("uat", samples::first_run()), "77aa01020304"),
        of("prod", blocked),
    ]
}

fn missing_secrets() -> Vec<Report> {
    vec![of("dev", samples::nothing_to_do()), samples::missing_secrets()]
}

fn two_of_forty_failed() -> Vec<Report> {
    let error = "column \"priority\" of relation \"orders\" already exists (SQLSTATE 42701)";
    let failures = ["super_tenant", "tasty-treats"];
    let finding = |name: &str| {
        Finding::error(error)
            .tenant(&tenant(name))
            .file("migrations/tenant/0039_add_priority.sql")
            .at(3, 14)
            .hint("nothing of 0039 was kept; drop that column or edit the migration, then run again")
    };
    let failed = failures.map(|name| Outcome {
        head: Some(Version(38)),
        error: Some(error.into()),
        ..outcome(Some(name), OutcomeState::Failed, 0..0)
    });
    let migrated = (1..=38).map(|n| outcome(Some(&format!("tenant_{n:02}")), OutcomeState::Migrated, 39..40));
    let run = Report {
        tenants: Some(TenantCounts {
            discovered: 40,
            migrated: 38,
            failed: 2,
            ..TenantCounts::default()
        }),
        outcomes: failed.into_iter().chain(migrated).collect(),
        duration_ms: 12_300,
        ..report(
            "run",
            checks(
                &[("rollout.tenants", failures.map(finding).to_vec())],
                Some("rollout.tenants"),
            ),
        )
    };
    vec![of("dev", samples::first_run()), run]
}

fn drift() -> Vec<Report> {
    vec![of("dev", samples::first_run()), samples::drifted()]
}

fn overridden_in_prod() -> Vec<Report> {
    let warning = Finding::warning("set aside: uat has not passed with this migration set (3fa2b1c0d9e8)")
        .hint("run `tenantgate run --environment uat` with exactly these migrations afterwards");
    let run = Report {
        overridden: Some(Override {
            actor: "alice-ops".into(),
            reason: "INC-2231: orders are being lost, uat's server is down; approved by the duty manager"
                .into(),
        }),
        promotion: None,
        checks: checks(&[("promotion.evidence", vec![warning])], None),
        ..samples::first_run()
    };
    vec![of("dev", samples::first_run()), of("prod", run)]
}

fn all_passed() -> Vec<Report> {
    ["dev", "uat", "prod"]
        .map(|name| of(name, samples::first_run()))
        .to_vec()
}

fn three_thousand_failures() -> Vec<Report> {
    vec![of("dev", samples::first_run()), samples::many_failed(3_000, 340)]
}

fn unreachable() -> Vec<Report> {
    vec![of("dev", samples::first_run()), samples::unreachable()]
}

fn plan_and_promotion_check() -> Vec<Report> {
    let open = Report {
        promotion: Some(PromotionSummary {
            after: environment("dev"),
            passed_at: Some("2026-02-28T09:30:00Z".parse().expect("a time")),
            run_url: None,
        }),
        server: None,
        ..report("promote", checks(&[], Some("promotion.evidence")))
    };
    vec![
        of("dev", samples::first_run()),
        open,
        of("prod", samples::dry_run()),
    ]
}

#[test]
fn the_gallery() {
    let gallery = [
        ("01-first-deployment", first_deployment()),
        ("02-nothing-to-do", nothing_to_do()),
        ("03-pull-request-with-a-plan", pull_request_with_a_plan()),
        ("04-promotion-blocked", promotion_blocked()),
        ("05-missing-secrets", missing_secrets()),
        ("06-two-of-forty-failed", two_of_forty_failed()),
        ("07-drift", drift()),
        ("08-overridden-in-prod", overridden_in_prod()),
        ("09-all-passed", all_passed()),
        ("10-three-thousand-failures", three_thousand_failures()),
        ("11-unreachable", unreachable()),
        ("12-promotion-check-and-dry-run", plan_and_promotion_check()),
    ];
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("gallery");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, reports) in gallery {
            insta::assert_snapshot!(name, comment(reports));
        }
    });
}
