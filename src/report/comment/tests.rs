//! What the comment remembers, and who may overwrite whom.

use super::{Comment, RunId, Update, status_description};
use crate::domain::{EnvironmentName, Report};
use crate::report::samples;

const LIMIT: usize = 65_536;

fn environments() -> Vec<EnvironmentName> {
    ["dev", "uat", "prod"].map(named).to_vec()
}

fn named(name: &str) -> EnvironmentName {
    EnvironmentName::parse(name).expect("a good name")
}

fn run(id: u64) -> RunId {
    RunId { id, attempt: 1 }
}

fn of(environment: &str, report: Report) -> Report {
    Report {
        environment: named(environment),
        ..report
    }
}

fn empty() -> Comment {
    Comment::new("meats-central", &environments())
}

fn read_back(comment: &Comment) -> Comment {
    Comment::parse(&comment.render(LIMIT), "meats-central").expect("our own comment")
}

#[test]
fn what_is_written_is_read_back() {
    let mut comment = empty();
    comment.update(&of("dev", samples::first_run()), run(1), &environments());
    comment.update(&of("uat", samples::one_tenant_failed()), run(2), &environments());
    let back = read_back(&comment);
    assert_eq!(back.state, comment.state);
    assert_eq!(back.render(LIMIT), comment.render(LIMIT));
    assert!(
        back.render(LIMIT).contains("super_tenant"),
        "{}",
        back.render(LIMIT)
    );
}

#[test]
fn an_older_run_changes_nothing() {
    let mut comment = empty();
    comment.update(&samples::first_run(), run(5), &environments());
    let before = comment.render(LIMIT);
    let older = comment.update(&samples::one_tenant_failed(), run(4), &environments());
    assert_eq!(older, Update::OlderRun);
    assert_eq!(comment.render(LIMIT), before);
    assert!(comment.holds(&named("uat"), run(4)));
    assert!(comment.holds(&named("uat"), run(5)));
    assert!(!comment.holds(&named("uat"), run(6)));
    assert!(!comment.holds(&named("dev"), run(1)));
    let other = comment.update(&of("dev", samples::nothing_to_do()), run(4), &environments());
    assert_eq!(other, Update::Written);
}

#[test]
fn a_second_attempt_replaces_the_first_and_not_the_other_way_round() {
    let again = RunId { id: 5, attempt: 2 };
    let mut comment = empty();
    comment.update(&samples::one_tenant_failed(), run(5), &environments());
    assert_eq!(
        comment.update(&samples::nothing_to_do(), again, &environments()),
        Update::Written
    );
    assert_eq!(
        comment.update(&samples::one_tenant_failed(), run(5), &environments()),
        Update::OlderRun
    );
    assert!(
        !comment.render(LIMIT).contains("blocked"),
        "{}",
        comment.render(LIMIT)
    );
}

#[test]
fn plan_and_promotion_check_of_one_run_stand_side_by_side() {
    let mut comment = empty();
    comment.update(&samples::blocked_promotion(), run(5), &environments());
    comment.update(&samples::plan(), run(5), &environments());
    let text = comment.render(LIMIT);
    assert!(text.contains("## ❌ uat is blocked"), "{text}");
    assert!(text.contains("<br>📋 plan only"), "{text}");
    comment.update(&samples::nothing_to_do(), run(5), &environments());
    let text = comment.render(LIMIT);
    assert!(!text.contains("plan only") && !text.contains("blocked"), "{text}");
}

#[test]
fn of_duplicates_each_environments_newer_run_stays() {
    let mut one = empty();
    one.update(&of("dev", samples::first_run()), run(3), &environments());
    one.update(&of("uat", samples::one_tenant_failed()), run(4), &environments());
    let mut other = empty();
    other.update(&of("dev", samples::one_tenant_failed()), run(2), &environments());
    other.update(&of("uat", samples::first_run()), run(5), &environments());
    let mut merged = one.clone();
    merged.absorb(read_back(&other));
    let mut reversed = other;
    reversed.absorb(read_back(&one));
    for comment in [merged, reversed] {
        let text = comment.render(LIMIT);
        assert!(!text.contains("blocked"), "{text}");
        assert!(comment.holds(&named("dev"), run(3)) && comment.holds(&named("uat"), run(5)));
    }
}

#[test]
fn only_this_projects_comments_are_ours() {
    let text = empty().render(LIMIT);
    assert!(Comment::is_ours(&text, "meats-central"));
    assert!(!Comment::is_ours(&text, "meats"));
    assert!(!Comment::is_ours("<!-- something else -->", "meats-central"));
    assert!(Comment::parse(&text, "meats").is_none());
}

#[test]
fn one_of_ours_that_cannot_be_read_is_empty() {
    let mut comment = empty();
    comment.update(&samples::first_run(), run(5), &environments());
    let text = comment.render(LIMIT);
    let (marker, rest) = text.split_once('\n').expect("lines");
    for marker in [
        marker.replace(" v1 ", " v9 "),
        marker.replace("eyJ", "!!!"),
        marker[..marker.len() - 9].to_owned(),
    ] {
        let parsed = Comment::parse(&format!("{marker}\n{rest}"), "meats-central").expect("ours");
        assert!(!parsed.holds(&named("uat"), run(1)), "{marker}");
    }
}

#[test]
fn a_comment_edited_in_the_browser_is_still_read() {
    let mut comment = empty();
    comment.update(&samples::first_run(), run(5), &environments());
    let text = comment.render(LIMIT);
    let edited = text.replace('\n', "\r\n");
    let parsed = Comment::parse(&edited, "meats-central").expect("ours");
    assert_eq!(parsed.render(LIMIT), text);
}

#[test]
fn an_environment_that_left_the_config_keeps_its_word() {
    let mut comment = empty();
    comment.update(&of("qa", samples::first_run()), run(5), &environments());
    comment.update(&of("dev", samples::first_run()), run(6), &environments()[..1]);
    let names: Vec<_> = comment
        .state
        .environments
        .iter()
        .map(|name| name.as_str())
        .collect();
    assert_eq!(names, ["dev", "qa"]);
}

#[test]
fn of_too_many_environments_the_oldest_are_forgotten() {
    let names: Vec<_> = (0..200).map(|n| named(&format!("environment-{n}"))).collect();
    let mut comment = Comment::new("p", &names);
    for (at, name) in names.iter().enumerate() {
        let report = of(name.as_str(), samples::missing_secrets());
        comment.update(&report, run(at as u64), &names);
    }
    let text = comment.render(LIMIT);
    assert!(text.chars().count() <= LIMIT);
    let back = Comment::parse(&text, "p").expect("ours");
    assert!(back.holds(&names[199], run(199)));
    assert!(!back.holds(&names[0], run(0)));
}

#[test]
fn a_status_says_it_in_140_characters() {
    let all = [
        samples::first_run(),
        samples::nothing_to_do(),
        samples::missing_secrets(),
        samples::blocked_promotion(),
        samples::one_tenant_failed(),
        samples::many_failed(300, 0),
        samples::plan(),
        samples::unreachable(),
        samples::dry_run(),
        samples::drifted(),
        samples::unexplained_failure(),
    ];
    let lines: Vec<_> = all.iter().map(status_description).collect();
    for line in &lines {
        assert!(line.encode_utf16().count() <= 140, "{line}");
    }
    insta::assert_snapshot!(lines.join("\n"));
}
