//! Evidence that is none, each kind with its name and its remedy.

use super::*;
use crate::github::fake::Fault;
use tenantgate::domain::EnvironmentName;

#[test]
fn copied_from_another_repository() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    shop.replace(Forge {
        change: Some(&|it| it.predicate.repository = Some("mallory/shop".into())),
        ..Forge::default()
    });
    assert_shut(
        &shop.promote("uat"),
        &[
            "counts for nothing: it is of repository mallory/shop",
            "evidence does not move",
        ],
    );
}

#[test]
fn copied_from_another_environment() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    shop.replace(Forge {
        environment: "uat",
        ..Forge::default()
    });
    assert_shut(
        &shop.promote("prod"),
        &["uat's evidence of this migration set counts for nothing: it is of environment dev"],
    );
    // And said of the one that it was copied into.
    shop.replace(Forge {
        environment: "uat",
        change: Some(&|it| it.predicate.environment = EnvironmentName::parse("uat").unwrap()),
        ..Forge::default()
    });
    shop.promote("prod").assert_code(0);
}

#[test]
fn of_another_project() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    shop.replace(Forge {
        change: Some(&|it| it.predicate.project = "another".into()),
        ..Forge::default()
    });
    assert_shut(
        &shop.promote("uat"),
        &["dev has not passed with this migration set"],
    );
}

#[test]
fn of_a_failed_run_whatever_its_payload_says() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    for states in [&["in_progress", "failure"][..], &["success", "error"]] {
        shop.replace(Forge {
            states,
            ..Forge::default()
        });
        assert_shut(
            &shop.promote("uat"),
            &["says that it passed", "says that it failed"],
        );
    }
    // What GitHub adds when something newer comes is no failure.
    shop.replace(Forge {
        states: &["success", "inactive"],
        ..Forge::default()
    });
    shop.promote("uat").assert_code(0);
}

#[test]
fn of_a_run_that_ended_before_its_final_status() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    for states in [&[][..], &["in_progress"]] {
        shop.replace(Forge {
            states,
            ..Forge::default()
        });
        assert_shut(
            &shop.promote("uat"),
            &[
                "was begun and never completed",
                "run `tenantgate run --environment dev` again",
            ],
        );
    }
    // Somebody else's word does not complete it.
    let id = shop.github.state().deployments.last().unwrap().id;
    shop.github.state().deployment_status(id, "success", "mallory");
    assert_shut(&shop.promote("uat"), &["never completed"]);
    shop.run("dev").assert_code(0);
    shop.promote("uat").assert_code(0);
}

#[test]
fn with_fewer_tenants_than_there_are_now() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    let payload = shop.payload();
    let ago = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1);
    // It left one out.
    shop.replace(Forge {
        change: Some(&|it| it.predicate.tenants.discovered += 1),
        ..Forge::default()
    });
    assert_shut(&shop.promote("uat"), &["1 of its 8 tenants have not got it"]);
    // It left none out, and dev has more by its newest record, of another change.
    shop.replace(Forge {
        change: Some(&|it| {
            it.predicate.tenants.discovered = 6;
            it.predicate.tenants.migrated = 6;
            it.predicate.finished_at = ago;
        }),
        ..Forge::default()
    });
    shop.promote("uat").assert_code(0);
    shop.add(
        &payload,
        Forge {
            change: Some(&|it| {
                it.digest.0 = format!("sha256:{}", "0".repeat(64));
                it.predicate.migrations.pop();
            }),
            ..Forge::default()
        },
    );
    assert_shut(
        &shop.promote("uat"),
        &[
            "when it had 6 tenants, and has 7 by its newest record",
            "brings the others",
        ],
    );
}

#[test]
fn in_a_newer_format() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    let digest = Evidence::open(&shop.payload().to_string(), &[])
        .unwrap()
        .evidence
        .digest;
    let statement = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": "orderdesk", "digest": { "sha256": digest.0.trim_start_matches("sha256:") } }],
        "predicateType": "https://tenantgate.dev/evidence/v2",
        "predicate": {},
    });
    let payload = serde_json::to_value(Envelope::seal(statement.to_string().as_bytes(), None)).unwrap();
    shop.add(&payload, Forge::default());
    assert_shut(
        &shop.promote("uat"),
        &[
            "written by a newer tenantgate (format 2)",
            "update tenantgate here",
        ],
    );
}

#[test]
fn by_somebody_who_is_not_trusted() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    let good = shop.payload();
    shop.replace(Forge {
        creator: "mallory",
        ..Forge::default()
    });
    assert_shut(&shop.promote("uat"), &["mallory wrote it", "`trusted_creators`"]);
    shop.promotion("trusted_creators = [\"github-actions[bot]\", \"Mallory\"]");
    shop.promote("uat").assert_code(0);
    // Neither a refusal nor rubbish of theirs shuts what is open.
    shop.promotion("");
    shop.add(&good, Forge::default());
    shop.add(
        &good,
        Forge {
            creator: "mallory",
            change: Some(&|it| it.predicate.verdict = tenantgate::domain::Verdict::Blocked),
            states: &["failure"],
            ..Forge::default()
        },
    );
    shop.add(
        &serde_json::json!({ "payloadType": 1 }),
        Forge {
            creator: "mallory",
            ..Forge::default()
        },
    );
    let open = shop.promote("uat");
    open.assert_code(0);
    assert!(open.checks_that("passed").contains(&"promotion.evidence"));
    assert!(
        finding(&open, "promotion.evidence").contains("3 wrote it")
            || finding(&open, "promotion.evidence").contains("mallory wrote it")
    );
}

#[test]
fn rubbish_of_our_own_does_no_harm() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    for payload in [
        serde_json::json!({}),
        serde_json::json!("not JSON"),
        serde_json::json!({ "payloadType": "application/vnd.in-toto+json", "payload": "%%%", "signatures": [] }),
    ] {
        shop.add(&payload, Forge::default());
    }
    let open = shop.promote("uat");
    open.assert_code(0);
    assert_eq!(open.checks_that("warned"), ["promotion.evidence"]);
}

#[test]
fn from_the_future() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    shop.replace(Forge {
        change: Some(&|it| {
            it.predicate.finished_at = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(2);
        }),
        ..Forge::default()
    });
    assert_shut(&shop.promote("uat"), &["from the future", "mend the clock"]);
}

/// Three hours ago by the clock here, which is two hours ahead of GitHub's.
#[test]
fn what_has_soaked_by_a_clock_that_is_ahead_has_not() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    shop.demand("soak = \"2h\"");
    let now = jiff::Timestamp::now();
    let old = |evidence: &mut Evidence| {
        evidence.predicate.finished_at = now - jiff::SignedDuration::from_hours(3);
    };
    shop.replace(Forge {
        change: Some(&old),
        ..Forge::default()
    });
    shop.promote("uat").assert_code(0);
    let there = (now - jiff::SignedDuration::from_hours(2)).strftime("%a, %d %b %Y %H:%M:%S GMT");
    shop.github
        .fault(Fault::header("Date", &there.to_string()).for_ever());
    let run = shop.promote("uat");
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["promotion.soak"]);
}

/// GitHub's own numbers tell which came last, where the runners' clocks do not agree.
#[test]
fn a_refusal_by_a_clock_that_is_slow_shuts_all_the_same() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    let payload = shop.payload();
    let slow = |evidence: &mut Evidence| {
        evidence.predicate.verdict = tenantgate::domain::Verdict::Blocked;
        evidence.predicate.finished_at -= jiff::SignedDuration::from_mins(20);
    };
    shop.add(
        &payload,
        Forge {
            change: Some(&slow),
            states: &["in_progress", "failure"],
            ..Forge::default()
        },
    );
    assert_shut(&shop.promote("uat"), &["dev was blocked with this change"]);
    shop.run("dev").assert_code(0);
    shop.promote("uat").assert_code(0);
}

#[test]
fn a_payload_that_comes_back_as_text_is_read() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    let payload = shop.payload();
    shop.github.state().deployments.pop();
    shop.add(&Value::String(payload.to_string()), Forge::default());
    shop.promote("uat").assert_code(0);
}

#[test]
fn the_right_one_on_the_third_page() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    let payload = shop.payload();
    let earlier = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1);
    let other = |it: &mut Evidence| {
        it.digest.0 = format!("sha256:{}", "1".repeat(64));
        it.predicate.finished_at = earlier;
    };
    for _ in 0..230 {
        shop.add(
            &payload,
            Forge {
                change: Some(&other),
                ..Forge::default()
            },
        );
    }
    shop.github.forget_requests();
    shop.promote("uat").assert_code(0);
    assert_eq!(shop.github.requests_to("GET", "deployments").len(), 3);
    assert_eq!(shop.github.requests_to("GET", "deployments/*/statuses").len(), 1);
}
