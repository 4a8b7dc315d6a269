//! Given nothing, when a change goes from dev to prod over GitHub, then each stage opens the next.

use super::*;

#[test]
fn from_dev_to_prod_over_merges_that_change_the_commits() {
    let mut shop = Shop::new();
    let early = shop.promote("uat");
    assert_shut(&early, &["dev has not passed with this migration set"]);

    shop.run("dev").assert_code(0);
    shop.merge("prod");
    let prod = shop.run("prod");
    assert_shut(
        &prod,
        &["uat has not passed with this migration set", "--environment uat"],
    );
    assert!(!shop.project.path("../../target/quickstart/prod").exists());

    shop.merge("uat");
    let uat = shop.run("uat");
    uat.assert_code(0);
    shop.merge("prod");
    let prod = shop.run("prod");
    prod.assert_code(0);
    assert_eq!(prod.report()["promotion"]["after"], "uat");
    assert!(
        prod.report()["promotion"]["run_url"]
            .as_str()
            .unwrap()
            .contains("/actions/runs/1")
    );
    let last = shop.github.state().deployments.last().unwrap().id;
    assert_eq!(
        prod.report()["evidence"],
        format!("deployment {last} of acme/shop")
    );

    let state = shop.github.state();
    let commits: Vec<_> = state.deployments.iter().map(|it| it.sha.clone()).collect();
    assert_eq!(
        commits,
        [sha("dev"), sha("merge into uat"), sha("merge into prod")]
    );
    let digests: std::collections::BTreeSet<_> = state
        .deployments
        .iter()
        .map(|it| {
            Evidence::open(&it.payload.to_string(), &[])
                .unwrap()
                .evidence
                .digest
                .0
        })
        .collect();
    assert_eq!(digests.len(), 1);
}

#[test]
fn a_deployment_is_what_github_wants_and_says_what_became_of_the_run() {
    let shop = Shop::new();
    // Its own status is pending, as it is while it runs.
    shop.github
        .state()
        .status(&sha("dev"), "tenantgate / dev", "pending", ACTIONS_BOT);
    shop.run("dev").assert_code(0);
    let created = &shop.github.requests_to("POST", "deployments")[0];
    for (key, value) in [
        ("task", "tenantgate".into()),
        ("environment", "dev".into()),
        ("ref", sha("dev").into()),
        ("auto_merge", false.into()),
        ("required_contexts", serde_json::json!([])),
        ("production_environment", false.into()),
        ("transient_environment", false.into()),
    ] {
        assert_eq!(created.body[key], value, "{key}");
    }
    let evidence = Evidence::open(&created.body["payload"].to_string(), &[])
        .unwrap()
        .evidence;
    assert_eq!(evidence.predicate.repository.as_deref(), Some("acme/shop"));
    assert_eq!(
        (evidence.predicate.run_id, evidence.predicate.run_attempt),
        (Some(1), Some(1))
    );
    let state = shop.github.state();
    let statuses = state.statuses_of(state.deployments[0].id);
    let states: Vec<_> = statuses.iter().map(|it| it.state.as_str()).collect();
    assert_eq!(states, ["in_progress", "success"]);
    assert!(statuses[1].log_url.ends_with("/acme/shop/actions/runs/1"));
    assert!(
        statuses[1].description.starts_with("passed: 6 migrations ("),
        "{}",
        statuses[1].description
    );
    for request in shop.github.requests_to("POST", "deployments/*/statuses") {
        assert_eq!(request.body["auto_inactive"], false);
    }
}

#[test]
fn the_github_environment_is_the_one_that_the_config_names() {
    let shop = Shop::new();
    shop.project.replace(
        "tenantgate.toml",
        "[environments.dev]",
        "[environments.dev]\ngithub_environment = \"dev / back end\"",
    );
    shop.run("dev").assert_code(0);
    assert_eq!(shop.github.state().deployments[0].environment, "dev / back end");
    shop.promote("uat").assert_code(0);
}

#[test]
fn what_differs_is_named() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    shop.project.tenant(
        "0042_add_priority.sql",
        "ALTER TABLE orders ADD COLUMN priority INTEGER;\n",
    );
    assert_shut(
        &shop.promote("uat"),
        &["dev passed with 6 migrations; this change has 7: + tenant/0042_add_priority.sql"],
    );
}

#[test]
fn a_blocked_run_is_recorded_as_a_failure_and_shuts_what_was_open() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    shop.promote("uat").assert_code(0);
    shop.project
        .replace("tenantgate.toml", "equals = 3", "equals = 4");
    shop.run("dev").assert_code(1);
    {
        let state = shop.github.state();
        let last = state.deployments.last().unwrap();
        assert_eq!(state.statuses_of(last.id).last().unwrap().state, "failure");
    }
    assert_shut(
        &shop.promote("uat"),
        &["dev was blocked with this change in its last run"],
    );
    shop.project
        .replace("tenantgate.toml", "equals = 4", "equals = 3");
    shop.run("dev").assert_code(0);
    shop.promote("uat").assert_code(0);
}

#[test]
fn soak_and_age_hold_here_too() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    shop.demand("soak = \"2h\"\nmax_age = \"7h\"");
    let young = shop.promote("uat");
    young.assert_code(1);
    assert_eq!(young.checks_that("failed"), ["promotion.soak"]);

    let ago = |hours: i64| {
        move |it: &mut Evidence| {
            it.predicate.finished_at = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours);
        }
    };
    let payload = shop.payload();
    shop.replace(Forge {
        change: Some(&ago(8)),
        ..Forge::default()
    });
    let old = shop.promote("uat");
    old.assert_code(1);
    assert_eq!(old.checks_that("failed"), ["promotion.max-age"]);
    assert!(finding(&old, "promotion.max-age").contains("8 h 0 min old, and may be 7 h 0 min"));

    // Passed again since: it has stood for eight hours, and the evidence is one hour old.
    shop.add(
        &payload,
        Forge {
            change: Some(&ago(1)),
            ..Forge::default()
        },
    );
    let good = shop.promote("uat");
    good.assert_code(0);
    assert!(good.checks_that("passed").contains(&"promotion.soak"));
    // Unless it failed in between.
    let failed = |it: &mut Evidence| {
        ago(4)(it);
        it.predicate.verdict = tenantgate::domain::Verdict::Blocked;
    };
    shop.add(
        &payload,
        Forge {
            change: Some(&failed),
            states: &["failure"],
            ..Forge::default()
        },
    );
    shop.add(
        &payload,
        Forge {
            change: Some(&ago(1)),
            ..Forge::default()
        },
    );
    let broken = shop.promote("uat");
    broken.assert_code(1);
    assert_eq!(broken.checks_that("failed"), ["promotion.soak"]);
}

#[test]
fn a_folder_wins_where_one_is_named() {
    let shop = Shop::new();
    let run = |environment| {
        shop.project
            .tenantgate(&["run", "--environment", environment, "--evidence", "evidence"])
    };
    run("dev").assert_code(0);
    run("uat").assert_code(0);
    assert!(shop.github.requests_to("GET", "deployments").is_empty());
    assert!(shop.github.state().deployments.is_empty());
}
