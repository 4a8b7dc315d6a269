//! Every format in every situation of [`samples`]; what people read is a snapshot.

use super::{github, json, markdown, samples, schema, text};
use crate::domain::Report;

const STEP_SUMMARY: usize = 1024 * 1024;

fn situations() -> Vec<(&'static str, Report)> {
    vec![
        ("first_run", samples::first_run()),
        ("nothing_to_do", samples::nothing_to_do()),
        ("missing_secrets", samples::missing_secrets()),
        ("blocked_promotion", samples::blocked_promotion()),
        ("one_tenant_failed", samples::one_tenant_failed()),
        ("many_failed", samples::many_failed(300, 0)),
        ("plan", samples::plan()),
        ("plan_of_unknown_tenants", samples::plan_of_unknown_tenants()),
        ("status", samples::status()),
        ("unreachable", samples::unreachable()),
        ("dry_run", samples::dry_run()),
        ("drifted", samples::drifted()),
        ("overridden", samples::overridden()),
        ("unexplained_failure", samples::unexplained_failure()),
        ("shard", samples::shard()),
        ("merged", samples::merged()),
    ]
}

fn plain(report: &Report, width: usize) -> String {
    text::render(report, &text::Style { color: false, width })
}

fn colored(report: &Report) -> String {
    text::render(
        report,
        &text::Style {
            color: true,
            width: 80,
        },
    )
}

#[test]
fn what_a_person_reads() {
    for (name, report) in situations() {
        insta::assert_snapshot!(format!("text_80_{name}"), plain(&report, 80));
        insta::assert_snapshot!(format!("text_120_{name}"), plain(&report, 120));
        insta::assert_snapshot!(
            format!("markdown_{name}"),
            markdown::render(&report, STEP_SUMMARY)
        );
    }
}

#[test]
fn an_actions_log() {
    insta::assert_snapshot!(github::render(&samples::one_tenant_failed(), "t0ken", None));
}

#[test]
fn an_actions_log_tells_of_an_override() {
    let log = github::render(&samples::overridden(), "t0ken", None);
    let first = log.lines().next().expect("a line");
    assert_eq!(
        first,
        "::warning title=override in uat::the promotion rules were set aside by alice-ops: \
         INC-2231: dev's server is down ::error::and @octocat agrees"
    );
}

#[test]
fn no_control_character_of_others_reaches_the_terminal() {
    for (name, report) in situations() {
        let text = plain(&report, 80);
        let control = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(control, None, "{name}");
    }
}

#[test]
fn lines_fit_the_terminal() {
    for (name, report) in situations() {
        for width in [40, 60, 80, 120] {
            for line in plain(&report, width).lines() {
                let one_word =
                    line.trim().split(' ').map(|word| word.chars().count()).max() > Some(width - 12);
                let is_sql = ["ALTER", "CREATE", "SET"]
                    .iter()
                    .any(|word| line.trim_start().starts_with(word));
                assert!(
                    line.chars().count() <= width || one_word || is_sql,
                    "{name} {width}: {line}"
                );
            }
        }
    }
}

#[test]
fn color_adds_nothing_but_color() {
    for (name, report) in situations() {
        let mut text = String::new();
        let colored = colored(&report);
        let mut rest = colored.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            let end = after.find('m').expect("a complete sequence");
            assert!(
                after[1..end].chars().all(|c| c.is_ascii_digit() || c == ';'),
                "{name}: {after}"
            );
            text.push_str(before);
            rest = &after[end + 1..];
        }
        text.push_str(rest);
        assert_eq!(text, plain(&report, 80), "{name}");
        assert_ne!(text, colored, "{name}");
    }
}

#[test]
fn the_same_report_is_the_same_bytes() {
    for ((name, one), (_, other)) in situations().into_iter().zip(situations()) {
        assert_eq!(colored(&one), colored(&other), "{name}");
        assert_eq!(
            markdown::render(&one, STEP_SUMMARY),
            markdown::render(&other, STEP_SUMMARY),
            "{name}"
        );
        assert_eq!(
            github::render(&one, "t", None),
            github::render(&other, "t", None),
            "{name}"
        );
        assert_eq!(json::render(&one), json::render(&other), "{name}");
    }
}

#[test]
fn json_is_read_back_and_obeyed_by_no_terminal() {
    for (name, mut report) in situations() {
        report.server = Some("x\u{1b}[0m\u{9b}1m\u{202e}\u{e0041}\u{7f}".into());
        let text = json::render(&report);
        assert!(text.ends_with("}\n"), "{name}");
        assert!(
            !text
                .chars()
                .any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'),
            "{name}"
        );
        let back: Report = serde_json::from_str(&text).expect("our own JSON");
        assert_eq!(back, report, "{name}");
    }
}

#[test]
fn the_schema_names_every_field() {
    let schema = schema::report_schema();
    let report = serde_json::to_value(samples::first_run()).expect("plain data");
    for field in report.as_object().expect("an object").keys() {
        assert!(schema["properties"].get(field).is_some(), "{field}");
    }
}

/// Walks the lines as a reader of Markdown would: in a fence nothing counts but its end.
fn assert_balanced(markdown: &str, what: &str) {
    let mut fence: Option<String> = None;
    let mut open = 0;
    for line in markdown.lines() {
        let trimmed = line.trim_start();
        let ticks: String = trimmed.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(opened) if ticks.len() >= opened.len() && trimmed.trim_end().len() == ticks.len() => {
                fence = None
            }
            Some(_) => {}
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => {
                open += trimmed.matches("<details").count();
                assert!(open >= trimmed.matches("</details>").count(), "{what}: {line}");
                open -= trimmed.matches("</details>").count();
                assert!(!trimmed.contains("<!--"), "{what}: {line}");
            }
        }
    }
    assert_eq!((open, fence), (0, None), "{what}");
}

#[test]
fn markdown_keeps_its_limit_and_closes_what_it_opens() {
    let flood = samples::many_failed(3_000, 340);
    assert!(
        flood.outcomes[1]
            .error
            .as_ref()
            .is_some_and(|error| error.len() > 2_000)
    );
    for limit in [
        0,
        1,
        100,
        400,
        1_000,
        4_000,
        16_000,
        65_536,
        262_144,
        STEP_SUMMARY,
    ] {
        let markdown = markdown::render(&flood, limit);
        assert!(markdown.len() <= limit, "{} > {limit}", markdown.len());
        assert_balanced(&markdown, &limit.to_string());
        if limit >= 4_000 {
            assert!(
                markdown.contains("is blocked: 3,000 of 3,001 tenants failed"),
                "{limit}"
            );
            assert!(markdown.contains("tenants omitted"), "{limit}");
            assert!(markdown.contains("does not exist"), "{limit}");
        }
    }
    for (name, report) in situations() {
        for limit in (0..8_000).step_by(61) {
            let markdown = markdown::render(&report, limit);
            assert!(markdown.len() <= limit, "{name} {limit}");
            assert_balanced(&markdown, &format!("{name} {limit}"));
        }
    }
}

#[test]
fn what_passed_is_folded_in_a_log() {
    let log = github::render(&samples::first_run(), "t0ken", None);
    let open = "::stop-commands::t0ken\n✔ passed";
    assert!(log.contains(open), "{log}");
    let (before, folded) = log
        .split_once("::t0ken::\n::group::tenantgate's report\n")
        .expect("a group");
    assert!(before.lines().count() < 8, "{before}");
    assert!(folded.starts_with("::stop-commands::t0ken\n"), "{folded}");
    assert!(folded.ends_with("\n::t0ken::\n::endgroup::\n"), "{folded}");
    let blocked = github::render(&samples::one_tenant_failed(), "t0ken", None);
    assert!(!blocked.contains("::group::"), "{blocked}");
}

#[test]
fn commands_are_only_ours() {
    let mut report = samples::many_failed(300, 340);
    report.checks[10].findings[1].message = format!("t0ken\n::t0ken::\n::error::mine {}", "%".repeat(5_000));
    report.checks[10].findings[1].file = Some("a:b,c\n::x".into());
    let log = github::render(&report, "t0ken", None);
    let (annotations, rest) = log
        .split_once("::stop-commands::t0ken\n")
        .expect("commands are stopped");
    let lines: Vec<_> = annotations.lines().collect();
    assert_eq!(lines.len(), 10);
    for line in lines {
        assert!(line.starts_with("::error file="), "{line}");
        let message = line.splitn(3, "::").nth(2).expect("a message");
        assert!(message.chars().count() <= 4_096, "{}", message.len());
    }
    assert!(annotations.contains(
        "file=a%3Ab%2Cc %3A%3Ax,line=1,col=1,title=not so%3A every tenant was migrated (rollout.tenants)::"
    ));
    assert_eq!(rest.matches("t0ken").count(), 1);
    assert!(rest.ends_with("\n::t0ken::\n"));
}
