//! Whatever text a report holds, the comment is ours: read by a parser of GitHub's Markdown, it
//! has the links, tags and headings that the renderer made and no others.

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};
use proptest::prelude::*;
use regex::Regex;

use super::{Comment, RunId};
use crate::domain::{CheckStatus, Digest, Override, Report, ServerName};
use crate::report::{markdown, samples};

const LIMIT: usize = 65_536;
const RUN_URL: &str = "https://github.com/meats/central/actions/runs/4711";
const EARLIER_URL: &str = "https://github.com/meats/central/actions/runs/4700";

/// What Markdown or GitHub would make something of, and what would end what it stands in.
const PIECES: &[&str] = &[
    "`",
    "``",
    "```",
    "````\n",
    "~~~\n",
    "\n```\n",
    "|",
    "\\",
    "\\|",
    "*",
    "**",
    "_",
    "__",
    "~~",
    "[",
    "]",
    "(",
    ")",
    "![x](https://evil.example/p.png)",
    "[x](https://evil.example)",
    "[x]: https://evil.example\n",
    "[^1]",
    "[^1]: note\n",
    "<b>",
    "</details>",
    "<details>",
    "<summary>",
    "<img src=https://evil.example/p.png>",
    "<!--",
    "-->",
    "<!-- tenantgate end -->",
    "\n<!-- tenantgate end -->\n",
    "\n\n<!-- tenantgate end -->\n\n",
    "<script>",
    "<https://evil.example>",
    "<a@evil.example>",
    "https://evil.example/x",
    "http://e.example",
    "ftp://e.example",
    "www.evil.example",
    "WWW.EVIL.example",
    "user@evil.example",
    "mailto:a@evil.example",
    "xmpp:a@evil.example",
    "@octocat",
    "@org/team",
    "#1",
    "#123",
    "GH-12",
    "gh-1",
    "GHSA-aaaa-bbbb-cccc",
    "owner/repo#1",
    "owner/repo@0123456789abcdef0123456789abcdef01234567",
    "0123abc",
    "0123456789abcdef0123456789abcdef01234567",
    ":octocat:",
    ":100:",
    ":+1:",
    "$x$",
    "$$x$$",
    "$`x`$",
    "# h\n",
    "\n# h",
    "\n\n## h\n\n",
    "h\n===\n",
    "h\n---\n",
    "\n---\n",
    "> q\n",
    "\n> [!WARNING]\n> x",
    "- [ ] t",
    "- i\n",
    "1. i\n",
    "1) i\n",
    "    code\n",
    "\t",
    "| a | b |\n| - | - |\n| c | d |\n",
    "&lt;",
    "&#64;octocat",
    "&commat;octocat",
    "\u{202e}",
    "\u{2066}",
    "\u{1b}[2J",
    "\0",
    "\u{200d}",
    "\r",
    "\r\n",
    "\u{2028}",
    "\u{85}",
    "é",
    "🌈",
    "\u{301}",
    " ",
    "  ",
    "  \n",
    "\\\n",
    "x",
    "acme",
    "no",
    "1",
    "a1",
    "::error::x",
];

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        12 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[ -~]{1,6}",
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

/// Each string of the report is replaced, but names, whose rules are their type's, and the runs'
/// addresses.
fn poisoned(mut report: Report, texts: &[String]) -> Report {
    let texts_count = texts.len();
    let mut texts = texts.iter().cycle().cloned();
    let mut next = || texts.next().unwrap_or_default();
    if texts_count.is_multiple_of(4) {
        report.command = next();
    }
    report.commit = Some(next());
    report.server = Some(next());
    report.evidence = Some(next());
    report.overridden = Some(Override {
        actor: next(),
        reason: next(),
    });
    if let Some(set) = &mut report.migration_set {
        set.digest = Digest(next());
    }
    if let Some(schema) = &mut report.schema {
        schema.fingerprint = next();
    }
    for check in &mut report.checks {
        check.id = next();
        check.title = next();
        for finding in &mut check.findings {
            finding.message = next();
            finding.hint = finding.hint.as_ref().map(|_| next());
            finding.file = Some(next());
        }
    }
    for outcome in &mut report.outcomes {
        outcome.error = outcome.error.as_ref().map(|_| next());
        outcome.server = Some(ServerName::of_address(next(), "app"));
    }
    for standing in report.standings.iter_mut().flatten() {
        standing.server = Some(ServerName::of_address(next(), "app"));
    }
    if let Some(plan) = &mut report.plan {
        plan.shared
            .iter_mut()
            .chain(&mut plan.each_tenant)
            .for_each(|label| *label = next());
        plan.tenants
            .iter_mut()
            .flatten()
            .flat_map(|group| &mut group.pending)
            .take(4)
            .for_each(|label| *label = next());
        plan.tenants
            .iter_mut()
            .flatten()
            .for_each(|group| group.server = Some(ServerName::of_address(next(), "app")));
        plan.sql
            .iter_mut()
            .for_each(|(label, sql)| (*label, *sql) = (next(), next()));
    }
    report
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    let extension = &mut options.extension;
    extension.table = true;
    extension.autolink = true;
    extension.strikethrough = true;
    extension.tasklist = true;
    extension.footnotes = true;
    extension.alerts = true;
    extension.math_dollars = true;
    extension.math_code = true;
    options
}

/// What GitHub looks for in the text once Markdown is HTML.
fn references() -> Regex {
    let parts = [
        r"(^|\W)@[A-Za-z0-9]",
        r"#\d",
        r"(?i)\bgh-\d",
        r"(?i)\bghsa-\w",
        r"(?i)https?://",
        r"(?i)ftp://",
        r"(?i)www\.\w",
        r"(^|\W)[0-9a-f]{7,40}(\W|$)",
        r":[A-Za-z0-9_+-]+:",
        r"[\u{202a}-\u{202e}\u{2066}-\u{2069}]",
        r"[\x00-\x08\x0b-\x1f]",
        r"\w@\w",
    ];
    Regex::new(&parts.join("|")).expect("a good pattern")
}

fn our_html() -> Regex {
    let line = [
        r"<!-- tenantgate [A-Za-z0-9+/=]* v1 [A-Za-z0-9+/=]+ -->",
        r"<!-- tenantgate block [A-Za-z0-9_-]+ [A-Za-z0-9]* -->",
        "<!-- tenantgate end -->",
        r"<details( open)?><summary>([^<]|</?b>)*</summary>",
        "</details>",
        "",
    ];
    Regex::new(&format!(r"^(({})\n?)+$", line.join("|"))).expect("a good pattern")
}

struct Seen {
    headings: usize,
    details: usize,
}

/// Fails at the first thing in the Markdown that is not ours.
fn read(markdown: &str) -> Result<Seen, TestCaseError> {
    let control = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    prop_assert!(!markdown.contains(control), "{markdown:?}");
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options());
    let (references, our_html) = (references(), our_html());
    let mut seen = Seen {
        headings: 0,
        details: 0,
    };
    let mut depth = 0;
    for node in root.descendants() {
        match &node.data.borrow().value {
            NodeValue::Link(link) => prop_assert!(
                [RUN_URL, EARLIER_URL].contains(&link.url.as_str()),
                "{}\n{markdown}",
                link.url
            ),
            NodeValue::HtmlInline(html) => {
                prop_assert!(
                    ["<span>", "</span>", "<br>", "<sub>", "</sub>"].contains(&html.as_str()),
                    "{html}"
                )
            }
            NodeValue::HtmlBlock(html) => {
                prop_assert!(our_html.is_match(&html.literal), "{:?}\n{markdown}", html.literal);
                prop_assert!(
                    !references.is_match(&html.literal.replace("<!--", "")) || html.literal.contains("<!--"),
                    "{:?}\n{markdown}",
                    html.literal
                );
                depth += html.literal.matches("<details").count();
                prop_assert!(depth >= html.literal.matches("</details>").count(), "{markdown}");
                depth -= html.literal.matches("</details>").count();
                seen.details += html.literal.matches("<details").count();
            }
            NodeValue::Heading(_) => seen.headings += 1,
            NodeValue::Emph => {
                let text = text_of(node);
                let ours = text.starts_with("There was more than") || text.ends_with(" omitted");
                prop_assert!(ours, "{text:?}\n{markdown}");
            }
            NodeValue::Text(_) => {}
            NodeValue::Image(_)
            | NodeValue::Math(_)
            | NodeValue::FootnoteReference(_)
            | NodeValue::FootnoteDefinition(_)
            | NodeValue::TaskItem(_)
            | NodeValue::ThematicBreak
            | NodeValue::Strikethrough => {
                return Err(TestCaseError::fail(format!(
                    "{:?}\n{markdown}",
                    node.data.borrow().value
                )));
            }
            _ => {}
        }
        let text = text_of(node);
        prop_assert!(!references.is_match(&text), "{text:?}\n{markdown}");
    }
    prop_assert_eq!(depth, 0, "{}", markdown);
    Ok(seen)
}

/// Its own text in one piece, as GitHub's filters see it; what is code or a formula's sign ends it.
fn text_of<'a>(node: &'a AstNode<'a>) -> String {
    let mut out = String::new();
    for child in node.children() {
        match &child.data.borrow().value {
            NodeValue::Text(text) => out.push_str(text),
            NodeValue::SoftBreak | NodeValue::LineBreak => out.push('\n'),
            _ => out.push('\u{fffc}'),
        }
    }
    out
}

fn situations() -> Vec<Report> {
    vec![
        samples::first_run(),
        samples::missing_secrets(),
        samples::blocked_promotion(),
        samples::one_tenant_failed(),
        samples::many_failed(8, 0),
        samples::plan(),
        samples::plan_of_unknown_tenants(),
        samples::drifted(),
        samples::unexplained_failure(),
    ]
}

fn expected_headings(report: &Report) -> usize {
    let told = |status| {
        report
            .checks
            .iter()
            .filter(|check| check.status == status)
            .count()
    };
    told(CheckStatus::Failed) + told(CheckStatus::Warned)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_of_others_becomes_more_than_text(
        at in 0..9usize,
        other in 0..9usize,
        texts in prop::collection::vec(hostile(), 1..12),
        project in hostile(),
        limit in prop_oneof![Just(LIMIT), 6_000..20_000usize],
    ) {
        let all = situations();
        let report = |at: usize, environment: &str| {
            let mut report = poisoned(all[at].clone(), &texts);
            report.project = project.clone();
            report.environment = crate::domain::EnvironmentName::parse(environment).expect("a good name");
            report.run_url = Some(RUN_URL.to_owned());
            report
        };
        let mut comment = Comment::new(&project, &[]);
        comment.update(&report(other, "dev"), RunId { id: 1, attempt: 1 }, &[]);
        comment.update(&report(at, "uat"), RunId { id: 2, attempt: 1 }, &[]);
        let text = comment.render(limit);
        prop_assert!(text.encode_utf16().count() <= limit);
        let seen = read(&text)?;
        if limit == LIMIT {
            let silent = seen.headings - 1 - expected_headings(&all[at]) - expected_headings(&all[other]);
            prop_assert!(silent <= 4, "{}\n{}", seen.headings, text);
        }
        let back = Comment::parse(&text, &project).expect("our own comment");
        prop_assert_eq!(&back.state, &comment.state);
        let again = back.render(limit);
        prop_assert_eq!(&again, &text);
        read(&markdown::render(&report(at, "uat"), limit))?;
        prop_assert!(super::status_description(&report(at, "uat")).encode_utf16().count() <= 140);
    }

    #[test]
    fn a_kept_block_is_cut_with_all_closed(
        at in 0..9usize,
        texts in prop::collection::vec(hostile(), 1..12),
        limit in 3_000..12_000usize,
    ) {
        let mut comment = Comment::new("p", &[]);
        let dev = Report { environment: crate::domain::EnvironmentName::parse("dev").expect("a good name"), ..poisoned(situations()[at].clone(), &texts) };
        comment.update(&dev, RunId { id: 1, attempt: 1 }, &[]);
        let mut kept = Comment::parse(&comment.render(LIMIT), "p").expect("our own comment");
        kept.update(&samples::many_failed(40, 4), RunId { id: 2, attempt: 1 }, &[]);
        let text = kept.render(limit);
        prop_assert!(text.encode_utf16().count() <= limit);
        read(&text)?;
    }
}

#[test]
fn three_thousand_failures_fit() {
    let report = samples::many_failed(3_000, 340);
    let name = |name: &str| crate::domain::EnvironmentName::parse(name).expect("a good name");
    let mut comment = Comment::new(&report.project, &[]);
    comment.update(
        &Report {
            environment: name("dev"),
            ..samples::first_run()
        },
        RunId { id: 1, attempt: 1 },
        &[],
    );
    comment.update(&report, RunId { id: 2, attempt: 1 }, &[]);
    let text = comment.render(LIMIT);
    assert!(text.chars().count() <= LIMIT && text.encode_utf16().count() <= LIMIT);
    assert!(text.chars().count() > LIMIT / 2, "{}", text.len());
    read(&text).expect("nothing but ours");
    let failures = text.find("### ❌").expect("failures");
    assert!(failures < text.find("<details>").expect("details"));
    assert!(text.contains(&format!("see [the run]({RUN_URL})")));
    let summary = markdown::render(&report, 1024 * 1024);
    assert!(summary.len() <= 1024 * 1024);
    read(&summary).expect("nothing but ours");
}
