//! Break glass: who may set the promotion rules aside, where, and what is left of it.

use super::*;
use crate::github::fake::Level;
use crate::harness::{Desk, Server};

const REASON: &str = "INC-311: uat is down, the fix is reviewed";

/// Nothing has passed, and alice may override.
fn shop(lines: &str) -> Shop {
    dispatched(Permissions::job(), lines)
}

fn dispatched(permissions: Permissions, lines: &str) -> Shop {
    let mut shop = Shop::with_permissions(permissions);
    shop.promotion(&format!("[promotion.override]\n{lines}"));
    let token = shop.github.token(permissions);
    let event = Event::workflow_dispatch("main", &sha("main"));
    shop.github.actions(&mut shop.project, &token, &event);
    by(&mut shop, "alice", "alice");
    shop
}

fn by(shop: &mut Shop, actor: &str, again: &str) {
    shop.project.env("GITHUB_ACTOR", actor);
    shop.project.env("GITHUB_TRIGGERING_ACTOR", again);
}

fn overriding(shop: &Shop, environment: &str) -> Run {
    shop.project
        .tenantgate(&["run", "--environment", environment, "--override", REASON])
}

#[track_caller]
fn assert_refused(run: &Run, words: &[&str]) {
    run.assert_code(1);
    assert!(run.checks_that("failed").contains(&"promotion.override"));
    assert!(run.report()["override"].is_null());
    let said = finding(run, "promotion.override");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}

#[test]
fn the_rules_become_warnings_and_it_is_recorded_everywhere() {
    let shop = shop("actors = [\"Alice\"]");
    let run = overriding(&shop, "uat");
    run.assert_code(0);
    assert_eq!(
        run.checks_that("warned"),
        ["promotion.evidence", "promotion.override"]
    );
    assert!(finding(&run, "promotion.evidence").contains("set aside: dev has not passed"));
    assert!(
        finding(&run, "promotion.override")
            .contains(&format!("alice set the promotion rules aside: {REASON}"))
    );
    let recorded = serde_json::json!({ "actor": "alice", "reason": REASON });
    assert_eq!(run.report()["override"], recorded);
    let evidence = Evidence::open(&shop.payload().to_string(), &[]).unwrap().evidence;
    let by = evidence.predicate.overridden.unwrap();
    assert_eq!((by.actor.as_str(), by.reason.as_str()), ("alice", REASON));
    assert!(
        shop.github.state().deployment_statuses[1]
            .description
            .starts_with("passed under an override")
    );
    let ledger = String::from_utf8_lossy(&ledger(&shop, "uat")).into_owned();
    assert!(ledger.contains(&format!("override by alice: {REASON}")));
}

/// The file of uat's shared schema.
fn ledger(shop: &Shop, environment: &str) -> Vec<u8> {
    let folder = shop
        .project
        .path(format!("../../target/quickstart/{environment}"));
    let mut files = std::collections::BTreeMap::new();
    crate::harness::collect_files(&folder, &mut files);
    files.into_values().flatten().collect()
}

#[test]
fn what_passed_under_it_opens_nothing_unless_the_config_says_so() {
    let shop = shop("actors = [\"alice\"]");
    overriding(&shop, "uat").assert_code(0);
    assert_shut(
        &shop.promote("prod"),
        &["only under an override by alice", REASON, "counts = true"],
    );
    shop.promotion("[promotion.override]\ncounts = true");
    shop.promote("prod").assert_code(0);
}

#[test]
fn migrate_may_be_let_in_too() {
    let shop = shop("actors = [\"alice\"]");
    let migrate = ["migrate", "--environment", "uat"];
    shop.project.tenantgate(&migrate).assert_code(1);
    let run = shop
        .project
        .tenantgate(&[&migrate[..], &["--override", REASON]].concat());
    run.assert_code(0);
    assert_eq!(run.report()["override"]["actor"], "alice");
    assert!(shop.github.state().deployments.is_empty());
}

#[test]
fn one_that_is_not_needed_sets_nothing_aside() {
    let shop = shop("actors = [\"alice\"]");
    shop.run("dev").assert_code(0);
    for environment in ["dev", "uat"] {
        let run = overriding(&shop, environment);
        run.assert_code(0);
        assert!(run.report()["override"].is_null());
        assert!(finding(&run, "promotion.override").contains("was not needed"));
    }
    shop.promote("prod").assert_code(0);
}

#[test]
fn it_sets_aside_nothing_but_the_promotion_rules() {
    let shop = shop("actors = [\"alice\"]");
    shop.project
        .replace("tenantgate.toml", "equals = 3", "equals = 4");
    let run = overriding(&shop, "uat");
    run.assert_code(1);
    // The canary is looked at before the others begin, override or not.
    assert_eq!(
        run.checks_that("failed"),
        [
            "rollout.canary",
            "rollout.tenants",
            "schema.complete",
            "expect.assertions"
        ]
    );
}

#[test]
fn only_those_who_are_listed() {
    let mut shop = shop("actors = [\"alice\"]");
    by(&mut shop, "mallory", "mallory");
    assert_refused(
        &overriding(&shop, "uat"),
        &["mallory may not", "[promotion.override] allows"],
    );
    // Neither begins what the other may.
    by(&mut shop, "alice", "mallory");
    assert_refused(&overriding(&shop, "uat"), &["mallory may not", "begun again"]);
    by(&mut shop, "mallory", "alice");
    assert_refused(&overriding(&shop, "uat"), &["mallory may not", "begun again"]);
    shop.promotion("");
    assert_refused(&overriding(&shop, "uat"), &["nobody may", "[promotion.override]"]);
    assert!(!shop.project.path("../../target/quickstart/uat").exists());
}

#[test]
fn only_in_a_workflow_that_was_begun_by_hand() {
    let mut shop = shop("actors = [\"alice\"]");
    for event in ["push", "pull_request", "schedule", "repository_dispatch"] {
        shop.project.env("GITHUB_EVENT_NAME", event);
        assert_refused(&overriding(&shop, "uat"), &[event, "workflow_dispatch"]);
    }
    shop.project.env("GITHUB_EVENT_NAME", "workflow_dispatch");
    shop.project.remove_env("GITHUB_ACTIONS");
    assert_refused(
        &overriding(&shop, "uat"),
        &["outside GitHub Actions", "workflow_dispatch"],
    );
}

#[test]
fn members_of_a_team_may() {
    let members = Permissions {
        members: Level::Read,
        ..Permissions::job()
    };
    let mut shop = dispatched(members, "teams = [\"acme/dba\"]");
    shop.github
        .state()
        .teams
        .insert("dba".into(), vec!["alice".into()]);
    overriding(&shop, "uat").assert_code(0);
    by(&mut shop, "mallory", "mallory");
    assert_refused(&overriding(&shop, "prod"), &["mallory may not"]);
}

#[test]
fn a_token_that_cannot_see_the_team_leaves_it_open() {
    let shop = shop("teams = [\"acme/dba\"]");
    shop.github
        .state()
        .teams
        .insert("dba".into(), vec!["alice".into()]);
    let run = overriding(&shop, "uat");
    run.assert_code(1);
    let said = finding(&run, "promotion.override");
    assert!(
        said.contains("cannot find out whether alice") && said.contains("Members: read"),
        "{said}"
    );
    assert_eq!(
        run.check("promotion.override")["findings"][0]["operational"],
        true
    );
}

#[test]
fn a_reason_is_one_line_of_some_length() {
    let shop = shop("actors = [\"alice\"]");
    for (reason, words) in [
        ("", "empty"),
        ("   ", "empty"),
        ("because", "too short"),
        ("first line\nsecond line", "not one line"),
        (&"x".repeat(301), "too long"),
    ] {
        let run = shop
            .project
            .tenantgate(&["run", "--environment", "uat", "--override", reason]);
        run.assert_code(2);
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
}

#[test]
fn a_secret_in_the_reason_is_told_to_nobody() {
    let shop = shop("actors = [\"alice\"]");
    let key = "an-api-key-of-uat-0123456789-abcdefghijklmnopqrstuvwxyz";
    let mut shop = shop;
    shop.project.secret("UAT_SECRET_KEY", key);
    let reason = format!("because the key is {key}");
    let run = shop
        .project
        .tenantgate(&["run", "--environment", "uat", "--override", &reason]);
    run.assert_code(0);
    assert_eq!(run.report()["override"]["reason"], "because the key is ***");
    assert!(!shop.payload().to_string().contains(key));
    let evidence = Evidence::open(&shop.payload().to_string(), &[]).unwrap().evidence;
    assert_eq!(
        evidence.predicate.overridden.unwrap().reason,
        "because the key is ***"
    );
    let ledger = String::from_utf8_lossy(&ledger(&shop, "uat")).into_owned();
    assert!(ledger.contains("because the key is ***") && !ledger.contains(key));
}

#[test]
fn every_engines_ledger_has_room_for_the_longest_reason() {
    for server in [Server::Sqlite, Server::Postgres, Server::Mariadb] {
        let mut desk = Desk::new(server);
        desk.configure_more("[promotion.override]\nactors = [\"alice\"]\n");
        let url = desk.database.url().to_owned();
        for (name, value) in [
            ("UAT_DB_URL", url.as_str()),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_EVENT_NAME", "workflow_dispatch"),
            ("GITHUB_ACTOR", "alice"),
        ] {
            desk.env(name, value);
        }
        desk.remove_env("DEV_DB_URL");
        let reason = "\u{e9}\u{1f525}'\\".repeat(75);
        let run = desk.tenantgate(&["run", "--environment", "uat", "--override", &reason]);
        run.assert_code(0);
        assert!(
            desk.stored_text().contains("override by alice: \u{e9}\u{1f525}"),
            "{server:?}"
        );
    }
}

#[test]
fn github_that_does_not_answer_is_set_aside_too() {
    use crate::github::fake::Fault;
    let shop = shop("actors = [\"alice\"]");
    shop.github
        .fault(Fault::status(403).on("GET", "deployments").for_ever());
    let run = overriding(&shop, "uat");
    run.assert_code(0);
    assert!(finding(&run, "promotion.evidence").contains("set aside: cannot read evidence"));
}
