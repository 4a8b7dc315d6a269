//! What would be done, and how far it is.

use crate::domain::{
    Finding, OutcomeState, PlanGroup, PlanSummary, Report, Standing, TenantCounts, TenantName,
    UnfinishedRanges, Version,
};

use super::{checks, outcome, report, tenant};

pub(in crate::report) fn group(
    range: std::ops::Range<usize>,
    versions: std::ops::RangeInclusive<u64>,
) -> PlanGroup {
    PlanGroup {
        server: None,
        tenants: range.map(|n| tenant(&format!("tenant_{n:02}"))).collect(),
        pending: versions
            .map(|version| format!("tenant/{:04}_step.sql", version))
            .collect(),
    }
}

pub(in crate::report) fn plan() -> Report {
    let sql = "ALTER TABLE orders ADD COLUMN priority integer NOT NULL DEFAULT 0;\n\nCREATE INDEX orders_priority ON orders (priority);\n";
    let lint = Finding::warning("adding a column with a volatile default rewrites the table")
        .file("migrations/tenant/0038_step.sql")
        .at(2, 1)
        .hint("add it without the default, fill it in batches, then set the default");
    Report {
        tenants: Some(TenantCounts {
            discovered: 42,
            ..TenantCounts::default()
        }),
        plan: Some(PlanSummary {
            waves: Vec::new(),
            shared: vec!["shared/0003_regions.sql".into()],
            tenants: Some(vec![group(0..37, 38..=39), group(37..40, 1..=39)]),
            each_tenant: Vec::new(),
            ranges: Vec::new(),
            sql: vec![("tenant/0039_step.sql".into(), sql.into())],
        }),
        ..report("plan", checks(&[("migrations.gap", vec![lint])], None))
    }
}

pub(in crate::report) fn plan_of_unknown_tenants() -> Report {
    Report {
        plan: Some(PlanSummary {
            waves: Vec::new(),
            shared: vec!["shared/0001_clients.sql".into(), "shared/0002_domains.sql".into()],
            tenants: None,
            each_tenant: vec!["tenant/0001_orders.sql".into(), "tenant/0002_items.sql".into()],
            ranges: Vec::new(),
            sql: Vec::new(),
        }),
        commit: None,
        run_url: None,
        ..report("plan", checks(&[], None))
    }
}

pub(in crate::report) fn status() -> Report {
    let standing = |name: Option<&str>, head: u64, pending| Standing {
        tenant: name.map(tenant),
        server: None,
        head: (head > 0).then_some(Version(head)),
        applied: usize::try_from(head).expect("a small number"),
        pending,
        unfinished: false,
        ranges: None,
        reverting: false,
        active: true,
        exists: true,
    };
    Report {
        standings: Some(vec![
            standing(None, 3, 0),
            standing(Some("acme"), 39, 0),
            standing(Some("beta_foods"), 37, 2),
            Standing {
                active: false,
                ..standing(Some("closed_shop"), 37, 2)
            },
            Standing {
                unfinished: true,
                ..standing(Some("half_done"), 38, 1)
            },
            Standing {
                unfinished: true,
                ranges: Some(UnfinishedRanges {
                    version: Version(39),
                    ranges: 12,
                    rows: 59_871,
                    last_key: Some("60000".into()),
                    end_key: Some("250000".into()),
                }),
                ..standing(Some("large_customer"), 38, 1)
            },
            Standing {
                exists: false,
                ..standing(Some("new_customer"), 0, 39)
            },
            standing(Some("zeta"), 39, 0),
        ]),
        tenants: Some(TenantCounts {
            discovered: 7,
            ..TenantCounts::default()
        }),
        commit: None,
        run_url: None,
        ..report("status", checks(&[], None))
    }
}

/// A dry run that would migrate one tenant of three; the registry calls one by the longest name.
pub(in crate::report) fn dry_run() -> Report {
    let long = "a".repeat(TenantName::LONGEST);
    let skipped = [outcome(Some("acme"), OutcomeState::Skipped, 0..0)];
    Report {
        dry_run: true,
        tenants: Some(TenantCounts {
            discovered: 3,
            up_to_date: 2,
            skipped: 1,
            ..TenantCounts::default()
        }),
        outcomes: skipped.into(),
        plan: Some(PlanSummary {
            waves: Vec::new(),
            shared: Vec::new(),
            tenants: Some(vec![PlanGroup {
                server: None,
                tenants: vec![tenant(&long)],
                pending: vec!["tenant/0039_step.sql".into()],
            }]),
            each_tenant: Vec::new(),
            ranges: Vec::new(),
            sql: Vec::new(),
        }),
        ..report("migrate", checks(&[], None))
    }
}
