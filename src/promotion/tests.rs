//! Given these records, when the change is judged, then this is found.

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::domain::{
    Check, Checksum, EnvironmentName, Finding, Migration, MigrationSet, Override, Scope, Severity,
    SigningKey, TenantCounts, Verdict, Version,
};

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
        direction: crate::domain::Direction::Forward,
        down: None,
        batch: None,
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
        repository: Some("octo/desk".into()),
        migration_count: None,
        commit: None,
        run_url: None,
        run_id: None,
        run_attempt: None,
        actor: None,
        overridden: None,
        lint: Vec::new(),
        schema: None,
        rolled_back: None,
    };
    Evidence {
        digest: set.digest(),
        predicate,
    }
}

fn record(evidence: Evidence) -> Record {
    Record {
        place: format!("record of {}", evidence.predicate.finished_at),
        evidence,
        signed: Signed::No,
        state: State::Complete,
        number: None,
    }
}

fn judged(
    set: &MigrationSet,
    records: &Records,
    change: impl FnOnce(&mut Demands<'_>),
) -> Vec<(String, Finding)> {
    let after = EnvironmentName::parse("uat").expect("a name");
    let mut demands = Demands {
        project: "meats",
        repository: Some("octo/desk"),
        after: &after,
        soak: None,
        max_age: None,
        signed: false,
        overridden_counts: false,
    };
    change(&mut demands);
    let promotion = judge(&demands, set, records, at(10));
    let found = promotion.checks.into_iter().flat_map(|check: Check| {
        let id = check.id.clone();
        check.findings.into_iter().map(move |it| (id.clone(), it))
    });
    found.collect()
}

fn errors(found: &[(String, Finding)]) -> Vec<String> {
    let errors = found.iter().filter(|(_, it)| it.severity == Severity::Error);
    errors.map(|(id, it)| format!("{id}: {}", it.message)).collect()
}

fn verdict(
    set: &MigrationSet,
    evidence: Vec<Evidence>,
    soak: Option<u64>,
    max_age: Option<u64>,
) -> Vec<String> {
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let records = Records {
        evidence: evidence.into_iter().map(record).collect(),
        ..Records::default()
    };
    errors(&judged(set, &records, |demands| {
        demands.soak = soak.map(hours);
        demands.max_age = max_age.map(hours);
    }))
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
    assert!(verdict(&set, records, None, None)[0].contains("was blocked with this change in its last run"));
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
    let text = evidence.seal(None).expect("sealed").to_text().expect("written");
    assert_eq!(Evidence::open(&text, &[]).expect("read").evidence, evidence);
    assert!(Evidence::open("{}", &[]).is_err());
    let other = Evidence::open(&text.replace("in-toto", "other"), &[]);
    assert_eq!(other.expect_err("refused").why, Rejection::PayloadType);
}

#[test]
fn only_what_a_known_key_signed_is_opened_where_there_are_keys() {
    let evidence = evidence(&set(&[(1, "a")]), Verdict::Passed, 0);
    let key = SigningKey::generate().expect("a key");
    let other = SigningKey::generate().expect("a key");
    let open = |signing: Option<&SigningKey>, keys: &[&SigningKey]| {
        let text = evidence
            .seal(signing)
            .expect("sealed")
            .to_text()
            .expect("written");
        let keys: Vec<_> = keys.iter().map(|key| key.public.clone()).collect();
        Evidence::open(&text, &keys).map(|opened| opened.signed)
    };
    let id = key.public.id.to_string();
    let rejected = |why| Unopened {
        why,
        claims: Some(evidence.digest.clone()),
    };
    assert_eq!(
        open(Some(&key), &[&other, &key]).expect("good"),
        Signed::By(id.clone())
    );
    assert_eq!(
        open(Some(&key), &[]).expect("good"),
        Signed::Unchecked(id.clone())
    );
    assert_eq!(
        open(None, &[&key]).expect_err("refused"),
        rejected(Rejection::Unsigned)
    );
    assert_eq!(
        open(Some(&key), &[&other]).expect_err("refused"),
        rejected(Rejection::UnknownKey(id))
    );
}

#[test]
fn a_newer_format_is_named() {
    let set = set(&[(1, "a")]);
    let payload = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": "x", "digest": { "sha256": set.digest().0.trim_start_matches("sha256:") } }],
        "predicateType": "https://tenantgate.dev/evidence/v2",
        "predicate": { "all": "new" },
    });
    let text = Envelope::seal(payload.to_string().as_bytes(), None)
        .to_text()
        .expect("written");
    let unopened = Evidence::open(&text, &[]).expect_err("refused");
    assert_eq!(unopened.why, Rejection::Newer(2));
    assert_eq!(unopened.claims, Some(set.digest()));
    // Nobody knows whether it says passed: an older pass does not outvote it.
    let records = Records {
        evidence: vec![record(evidence(&set, Verdict::Passed, 0))],
        rejected: vec![Rejected {
            place: "x".into(),
            why: unopened.why,
            of_this_set: true,
        }],
        cut_off: false,
    };
    let found = judged(&set, &records, |_| {});
    assert_eq!(
        errors(&found),
        [
            "promotion.evidence: a record of this migration set cannot be read: it was written by a newer tenantgate (format 2) (x)"
        ]
    );
    assert!(
        found[0]
            .1
            .hint
            .as_deref()
            .is_some_and(|hint| hint.contains("update tenantgate"))
    );
}

#[test]
fn evidence_from_elsewhere_is_named() {
    let set = set(&[(1, "a")]);
    let copied = |change: &dyn Fn(&mut Predicate)| {
        let mut it = evidence(&set, Verdict::Passed, 0);
        change(&mut it.predicate);
        verdict(&set, vec![it], None, None)
    };
    assert_eq!(
        copied(&|it| it.repository = Some("mallory/desk".into())),
        [
            "promotion.evidence: uat's evidence of this migration set counts for nothing: it is of repository mallory/desk"
        ]
    );
    assert_eq!(
        copied(&|it| it.environment = EnvironmentName::parse("dev").expect("a name")),
        [
            "promotion.evidence: uat's evidence of this migration set counts for nothing: it is of environment dev"
        ]
    );
    assert!(copied(&|it| it.repository = Some("OCTO/desk".into())).is_empty());
    assert!(copied(&|it| it.repository = None).is_empty());
}

#[test]
fn what_counts_for_nothing_is_only_worth_a_note_beside_a_pass() {
    let set = set(&[(1, "a")]);
    let rejected = |why| Rejected {
        place: "x".into(),
        why,
        of_this_set: true,
    };
    for (why, severity) in [
        (Rejection::Unsigned, Severity::Note),
        (Rejection::UnknownKey("k".into()), Severity::Note),
        (Rejection::Creator("mallory".into()), Severity::Note),
        (Rejection::Altered("k".into()), Severity::Warning),
        // Not even an envelope: where signatures are demanded, it has no say.
        (Rejection::Envelope, Severity::Warning),
    ] {
        let mut records = Records {
            evidence: vec![record(evidence(&set, Verdict::Passed, 0))],
            rejected: vec![rejected(why.clone())],
            cut_off: false,
        };
        let found = judged(&set, &records, |demands| demands.signed = true);
        assert_eq!(found[0].1.severity, severity, "{found:?}");
        records.evidence.clear();
        let found = errors(&judged(&set, &records, |demands| demands.signed = true));
        assert!(
            found[0].contains(&format!("counts for nothing: {why}")),
            "{found:?}"
        );
    }
}

#[test]
fn a_record_from_the_future_is_no_pass_and_no_refusal() {
    let set = set(&[(1, "a")]);
    let found = verdict(&set, vec![evidence(&set, Verdict::Passed, 11)], None, None);
    assert!(found[0].contains("is from the future"), "{found:?}");
    assert_eq!(found.len(), 1);
}

#[test]
fn what_the_store_says_counts_too() {
    let set = set(&[(1, "a")]);
    let mut last = record(evidence(&set, Verdict::Passed, 5));
    let mut records = Records::default();
    last.state = State::Unfinished;
    records.evidence = vec![last.clone()];
    let found = errors(&judged(&set, &records, |_| {}));
    assert!(found[0].contains("was begun and never completed"), "{found:?}");
    // An earlier pass stands.
    records.evidence.push(record(evidence(&set, Verdict::Passed, 0)));
    assert!(errors(&judged(&set, &records, |_| {})).is_empty());
    // Which a failure does not leave standing.
    records.evidence[0].state = State::Contradicted;
    let found = errors(&judged(&set, &records, |_| {}));
    assert!(found[0].contains("says that it failed"), "{found:?}");
}

#[test]
fn a_pass_under_an_override_counts_where_the_config_says_so() {
    let set = set(&[(1, "a")]);
    let mut overridden = evidence(&set, Verdict::Passed, 5);
    overridden.predicate.overridden = Some(Override {
        actor: "alice".into(),
        reason: "the server is down".into(),
    });
    let records = Records {
        evidence: vec![record(overridden)],
        ..Records::default()
    };
    let found = judged(&set, &records, |_| {});
    assert_eq!(
        errors(&found),
        [
            "promotion.evidence: uat passed with this change at 2023-11-15 03:13 UTC only under an override by alice (the server is down), which does not count here"
        ]
    );
    assert!(
        found[0]
            .1
            .hint
            .as_deref()
            .is_some_and(|hint| hint.contains("counts = true"))
    );
    assert!(errors(&judged(&set, &records, |demands| demands.overridden_counts = true)).is_empty());
}

#[test]
fn tenants_that_joined_since_must_have_got_the_change() {
    let before = set(&[(1, "a")]);
    let after = set(&[(1, "a"), (2, "b")]);
    let joined = |set: &MigrationSet, verdict| {
        let mut it = evidence(set, verdict, 5);
        it.predicate.tenants.discovered = 3;
        it.predicate.tenants.up_to_date = 2;
        it
    };
    let passed = || evidence(&before, Verdict::Passed, 0);
    let found = verdict(
        &before,
        vec![passed(), joined(&after, Verdict::Blocked)],
        None,
        None,
    );
    assert_eq!(
        found,
        [
            "promotion.evidence: uat passed with this change when it had 2 tenants, and has 3 by its newest record"
        ]
    );
    // A larger set that passed brought all of this one to them.
    assert!(
        verdict(
            &before,
            vec![passed(), joined(&after, Verdict::Passed)],
            None,
            None
        )
        .is_empty()
    );
    let other = set(&[(1, "x"), (2, "b")]);
    assert_eq!(
        verdict(
            &before,
            vec![passed(), joined(&other, Verdict::Passed)],
            None,
            None
        )
        .len(),
        1
    );
}

#[test]
fn a_long_list_is_cut_and_one_without_room_is_counted() {
    let before = set(&[(1, "a")]);
    let texts: Vec<(u64, &str)> = (1..=40).map(|version| (version, "a")).collect();
    let now = set(&texts);
    let found = verdict(&now, vec![evidence(&before, Verdict::Passed, 0)], None, None);
    assert!(
        found[0].contains("+ tenant/0011_step.sql and 29 more"),
        "{found:?}"
    );

    let mut whole = evidence(&now, Verdict::Passed, 0);
    for (limit, named) in [(100_000, true), (6_500, true), (2_000, false)] {
        let envelope = whole.sealed_within(limit, None).expect("sealed");
        let text = envelope.to_text().expect("written");
        let read = Evidence::open(&text, &[]).expect("read").evidence;
        assert_eq!(read.predicate.migration_count(), 40);
        assert_eq!(read.digest, whole.digest);
        let found = verdict(&before, vec![read], None, None);
        let what = if named {
            "- tenant/0002_step.sql"
        } else {
            "no room to name them"
        };
        assert!(found[0].contains(what), "{limit}: {found:?}");
    }
    whole.predicate.migrations.clear();
}

#[test]
fn a_note_says_that_a_signature_is_not_checked() {
    let set = set(&[(1, "a")]);
    let mut signed = record(evidence(&set, Verdict::Passed, 0));
    signed.signed = Signed::Unchecked("0123456789abcdef".into());
    let records = Records {
        evidence: vec![signed],
        ..Records::default()
    };
    let found = judged(&set, &records, |_| {});
    assert_eq!(found[0].1.severity, Severity::Note);
    assert!(
        found[0].1.message.contains("signed by 0123456789abcdef"),
        "{found:?}"
    );
}

mod rollback;
