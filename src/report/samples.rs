//! Reports as runs would make them: the situations that every format is looked at in.

use std::collections::BTreeMap;

use crate::domain::{
    Check, CheckDefinition, Digest, EnvironmentName, ExpectedFrom, Finding, MigrationSetSummary, Outcome,
    OutcomeState, Override, PromotionSummary, Report, SCHEMA_VERSION, SchemaSummary, TenantCounts,
    TenantName, Tool, Verdict, Version,
};

mod jobs;
mod plans;

pub(super) use jobs::{merged, shard};
pub(super) use plans::{dry_run, plan, plan_of_unknown_tenants, status};

pub(super) fn tenant(name: &str) -> TenantName {
    TenantName::parse(name).expect("a good name")
}

pub(super) fn environment(name: &str) -> EnvironmentName {
    EnvironmentName::parse(name).expect("a good name")
}

const CHECKS: [(&str, &str); 14] = [
    ("secrets.missing", "required secrets are set"),
    ("secrets.length", "secrets are long enough"),
    ("secrets.reused", "secrets are not shared between environments"),
    ("url.scheme", "the database URL names an engine that is supported"),
    ("url.unencoded-password", "user and password are percent-encoded"),
    ("migrations.gap", "consecutive numbers have no gap"),
    ("ledger.changed", "no applied migration was edited"),
    (
        "promotion.evidence",
        "the environment before passed with exactly this change",
    ),
    ("server.reachable", "the database answers"),
    ("server.environment", "the database is this environment's"),
    ("rollout.tenants", "every tenant was migrated"),
    ("rollout.duration", "the run took no longer than allowed"),
    ("drift.tenant", "every tenant's structure is as expected"),
    ("expect.tables", "the expected tables exist"),
];

/// All checks passed but those given; those after the one named `stopped_at` were not asked.
pub(super) fn checks(answers: &[(&str, Vec<Finding>)], stopped_at: Option<&str>) -> Vec<Check> {
    let mut stopped = false;
    let check = |(id, title)| {
        let definition = CheckDefinition { id, title };
        let findings = answers.iter().find(|(answered, _)| *answered == id);
        let check = match stopped {
            true => Check::skipped(&definition),
            false => Check::answered(
                &definition,
                findings.map(|(_, found)| found.clone()).unwrap_or_default(),
            ),
        };
        stopped |= stopped_at == Some(id);
        check
    };
    CHECKS.into_iter().map(check).collect()
}

pub(super) fn report(command: &str, checks: Vec<Check>) -> Report {
    let verdict = match checks.iter().any(Check::blocks) {
        true => Verdict::Blocked,
        false => Verdict::Passed,
    };
    Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool {
            name: "tenantgate".into(),
            version: "1.0.0".into(),
        },
        project: "meats-central".into(),
        command: command.into(),
        environment: environment("uat"),
        verdict,
        started_at: "2026-03-01T10:00:00Z".parse().expect("a time"),
        duration_ms: 1_234,
        commit: Some("3b1f6c0de5a94a2f8e7b1c2d3e4f5a6b7c8d9e0f".into()),
        run_url: Some("https://github.com/meats/central/actions/runs/4711".into()),
        server: Some("PostgreSQL 15.18".into()),
        servers: BTreeMap::new(),
        dry_run: false,
        scope: None,
        shard: None,
        merged: None,
        migration_set: Some(MigrationSetSummary {
            digest: Digest(format!("sha256:3fa2b1c0d9e8{}", "0".repeat(52))),
            shared: 3,
            tenant: 39,
        }),
        checks,
        tenants: None,
        outcomes: Vec::new(),
        plan: None,
        standings: None,
        promotion: None,
        overridden: None,
        schema: None,
        evidence: None,
    }
}

pub(super) const NAMES: [&str; 5] = ["acme", "beta_foods", "super_tenant", "tasty-treats", "zeta"];

pub(super) fn outcome(name: Option<&str>, state: OutcomeState, applied: std::ops::Range<u64>) -> Outcome {
    Outcome {
        tenant: name.map(tenant),
        server: None,
        state,
        head: applied.clone().last().map(Version),
        applied: applied.map(Version).collect(),
        undone: Vec::new(),
        duration_ms: 180,
        retries: 0,
        rows: None,
        error: None,
    }
}

fn passed_in_dev() -> Option<PromotionSummary> {
    Some(PromotionSummary {
        after: environment("dev"),
        passed_at: Some("2026-02-28T09:30:00Z".parse().expect("a time")),
        run_url: Some("https://github.com/meats/central/actions/runs/4700".into()),
    })
}

pub(super) fn first_run() -> Report {
    let password =
        Finding::note("the URL has no port; 5432 is taken").hint("write it, so that nobody has to know");
    let mut outcomes = vec![outcome(None, OutcomeState::Migrated, 1..4)];
    outcomes.extend(NAMES.map(|name| outcome(Some(name), OutcomeState::Migrated, 1..40)));
    outcomes[2].retries = 2;
    Report {
        tenants: Some(TenantCounts {
            discovered: 5,
            migrated: 5,
            ..TenantCounts::default()
        }),
        outcomes,
        promotion: passed_in_dev(),
        schema: Some(SchemaSummary {
            fingerprint: format!("sha256:{}", "9c".repeat(32)),
            groups: 1,
            tenants: 5,
            differing: 0,
            shared: None,
            expected: Some(ExpectedFrom::Migrations),
        }),
        evidence: Some("evidence/uat/3fa2b1c0d9e8.json".into()),
        ..report("run", checks(&[("url.scheme", vec![password])], None))
    }
}

pub(super) fn nothing_to_do() -> Report {
    Report {
        tenants: Some(TenantCounts {
            discovered: 5,
            up_to_date: 5,
            ..TenantCounts::default()
        }),
        promotion: passed_in_dev(),
        schema: Some(SchemaSummary {
            fingerprint: format!("sha256:{}", "9c".repeat(32)),
            groups: 1,
            tenants: 5,
            differing: 0,
            shared: None,
            expected: Some(ExpectedFrom::Migrations),
        }),
        duration_ms: 84,
        ..report("run", checks(&[], None))
    }
}

pub(super) fn missing_secrets() -> Report {
    let missing = |name: &str| {
        Finding::error(format!("{name} is not set"))
            .hint("add it under Settings > Environments > uat-backend, and pass it to this step with `env:`")
    };
    let weak = Finding::error("UAT_SECRET_KEY is shorter than 50 characters")
        .file("tenantgate.toml")
        .at(14, 1);
    let unused = Finding::warning("UAT_EMAIL_PASSWORD is the same as DEV_EMAIL_PASSWORD")
        .hint("give each environment its own");
    let answers = [
        (
            "secrets.missing",
            vec![missing("UAT_DB_URL"), missing("UAT_DJANGO_SETTINGS_MODULE")],
        ),
        ("secrets.length", vec![weak]),
        ("secrets.reused", vec![unused]),
    ];
    Report {
        server: None,
        duration_ms: 12,
        ..report("run", checks(&answers, Some("secrets.reused")))
    }
}

pub(super) fn blocked_promotion() -> Report {
    let message = "dev passed with another migration set (sha256 77aa01020304, on 2026-02-28)\n  \
        + tenant/0039_add_priority.sql   not in what passed\n  \
        - tenant/0038_drop_legacy.sql    passed, and is gone\n  \
        ~ shared/0003_regions.sql        edited since";
    let finding = Finding::error(message)
        .hint("deploy this commit to dev first, or promote the commit that passed there: 77aa010");
    Report {
        promotion: Some(PromotionSummary {
            after: environment("dev"),
            passed_at: None,
            run_url: None,
        }),
        server: None,
        ..report(
            "promote",
            checks(
                &[("promotion.evidence", vec![finding])],
                Some("promotion.evidence"),
            ),
        )
    }
}

pub(super) fn one_tenant_failed() -> Report {
    let error = "column \"priority\" of relation \"orders\" already exists";
    let finding = Finding::error(error)
        .tenant(&tenant(NAMES[2]))
        .file("migrations/tenant/0039_add_priority.sql")
        .at(3, 14)
        .hint("nothing of 0039 was kept; look at what made the column, then run again: `tenantgate migrate --tenant super_tenant`");
    let mut failed = outcome(Some(NAMES[2]), OutcomeState::Failed, 0..0);
    failed.head = Some(Version(38));
    failed.error = Some(error.into());
    let waiting = |name| Outcome {
        head: Some(Version(38)),
        duration_ms: 0,
        ..outcome(Some(name), OutcomeState::NotReached, 0..0)
    };
    Report {
        tenants: Some(TenantCounts {
            discovered: 5,
            migrated: 2,
            failed: 1,
            not_reached: 2,
            ..TenantCounts::default()
        }),
        outcomes: vec![
            failed,
            waiting(NAMES[3]),
            waiting(NAMES[4]),
            outcome(Some(NAMES[0]), OutcomeState::Migrated, 39..40),
            outcome(Some(NAMES[1]), OutcomeState::Migrated, 39..40),
        ],
        duration_ms: 65_400,
        ..report(
            "run",
            checks(&[("rollout.tenants", vec![finding])], Some("rollout.tenants")),
        )
    }
}

const HOSTILE: &str = "\u{1b}[2J\u{1b}[32m✔ passed\r\n</details><!-- @octocat #1 | ``` ::error::x\n::set-output name=a::b\n```\n# all is well";

/// Half of the failures are the same, half differ from tenant to tenant.
pub(super) fn many_failed(number: usize, padding: usize) -> Report {
    let name = |n: usize| tenant(&format!("tenant_{n:04}"));
    let message = |n: usize| match n % 2 {
        0 => format!("relation \"{}.orders\" does not exist", name(n)),
        _ => format!("{HOSTILE} {n} {}", "`<@x $".repeat(padding)),
    };
    let finding = |n: usize| {
        Finding::error(message(n))
            .tenant(&name(n))
            .file("migrations/tenant/0039_a|b.sql")
            .at(1, 1)
    };
    let failed = |n: usize| Outcome {
        tenant: Some(name(n)),
        server: None,
        error: Some(message(n)),
        ..outcome(None, OutcomeState::Failed, 0..0)
    };
    Report {
        tenants: Some(TenantCounts {
            discovered: number + 1,
            failed: number,
            not_reached: 1,
            ..TenantCounts::default()
        }),
        outcomes: (0..number)
            .map(failed)
            .chain([outcome(Some("zz"), OutcomeState::NotReached, 0..0)])
            .collect(),
        ..report(
            "run",
            checks(
                &[("rollout.tenants", (0..number).map(finding).collect())],
                Some("rollout.tenants"),
            ),
        )
    }
}

pub(super) fn unreachable() -> Report {
    let finding = Finding::error("no answer from db.uat.example.com:5432 within 10 s (connection timed out)")
        .hint("is the server up, and does its firewall let this runner in?")
        .operational(true);
    Report {
        server: None,
        duration_ms: 10_020,
        ..report(
            "run",
            checks(&[("server.reachable", vec![finding])], Some("server.reachable")),
        )
    }
}

/// The promotion rules were set aside, by somebody who writes more than a reason.
pub(super) fn overridden() -> Report {
    let warning = Finding::warning("set aside: dev has not passed with this migration set (3fa2b1c0d9e8)")
        .hint("run `tenantgate run --environment dev` with exactly these migrations afterwards");
    Report {
        promotion: None,
        overridden: Some(Override {
            actor: "alice-ops".into(),
            reason: "INC-2231: dev's server is down\n::error::and @octocat agrees".into(),
        }),
        checks: checks(&[("promotion.evidence", vec![warning])], None),
        ..first_run()
    }
}

pub(super) fn drifted() -> Report {
    let drift = |name: &str, message: &str| Finding::error(message).tenant(&tenant(name));
    let index = "index `orders_priority` of `orders` is missing";
    let hint = "it is not what the migrations make";
    let sql = |name: &str| {
        format!("SET search_path TO \"{name}\", public;\nCREATE INDEX orders_priority ON orders (priority);")
    };
    let findings = vec![
        drift("acme", index).hint(hint).sql(sql("acme")),
        drift("zeta", index).hint(hint).sql(sql("zeta")),
        drift(
            &"b".repeat(TenantName::LONGEST),
            "column `orders.total` is double precision, expected numeric(12,2)",
        ),
        Finding::warning("schema `old_backup` belongs to no tenant").hint("list it under `tenancy.ignore`"),
    ];
    Report {
        tenants: Some(TenantCounts {
            discovered: 5,
            ..TenantCounts::default()
        }),
        schema: Some(SchemaSummary {
            fingerprint: format!("sha256:{}", "9c".repeat(32)),
            groups: 3,
            tenants: 5,
            differing: 3,
            shared: None,
            expected: Some(ExpectedFrom::Migrations),
        }),
        ..report("validate", checks(&[("drift.tenant", findings)], None))
    }
}

/// A failure of the rollout that no check speaks of, among the longest names.
pub(super) fn unexplained_failure() -> Report {
    let failed = Outcome {
        error: Some("server closed the connection unexpectedly".into()),
        ..outcome(Some(&"c".repeat(TenantName::LONGEST)), OutcomeState::Failed, 1..3)
    };
    Report {
        verdict: Verdict::Blocked,
        tenants: Some(TenantCounts {
            discovered: 3,
            migrated: 1,
            failed: 1,
            ..TenantCounts::default()
        }),
        outcomes: vec![failed, outcome(Some("acme"), OutcomeState::Migrated, 1..40)],
        ..report("run", checks(&[], None))
    }
}
