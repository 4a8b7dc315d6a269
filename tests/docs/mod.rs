//! The README names what there is: every check, config key, command and flag.

use std::collections::BTreeSet;

use clap::CommandFactory as _;
use serde_json::Value;
use tenantgate::cli::Cli;
use tenantgate::{
    baseline, database_url, github, lint, merge, migrations, promotion, prove, publish, rollout, run,
    secrets, settings, snapshot, tenants, validate,
};

const README: &str = include_str!("../../README.md");

/// The text below a heading, up to the next one of its level.
fn section(heading: &str) -> &'static str {
    let heading = format!("\n## {heading}\n");
    let begin = README.find(&heading).expect("the README has the heading") + heading.len();
    let rest = &README[begin..];
    rest.find("\n## ").map_or(rest, |end| &rest[..end])
}

/// First cells of table rows, where they are one name in backticks.
fn first_cells(text: &str) -> Vec<&str> {
    let name = |line| {
        let cell = str::strip_prefix(line, "| `")?.split_once(" |")?.0;
        cell.strip_suffix('`').filter(|name| !name.contains('`'))
    };
    text.lines().filter_map(name).collect()
}

fn assert_same(readme: &BTreeSet<&str>, code: &BTreeSet<&str>) {
    let missing: Vec<_> = code.difference(readme).collect();
    let stale: Vec<_> = readme.difference(code).collect();
    assert!(missing.is_empty(), "not in the README: {missing:?}");
    assert!(stale.is_empty(), "only in the README: {stale:?}");
}

#[test]
fn every_check_is_documented_once() {
    let lists = [
        secrets::CHECKS,
        database_url::CHECKS,
        run::CHECKS,
        migrations::CHECKS,
        migrations::LEDGER_CHECKS,
        promotion::CHECKS,
        publish::CHECKS,
        tenants::CHECKS,
        rollout::CHECKS,
        merge::CHECKS,
        validate::CHECKS,
        validate::rows::CHECKS,
        baseline::CHECKS,
        lint::CHECKS,
        snapshot::CHECKS,
        prove::CHECKS,
        migrations::ROLLBACK_CHECKS,
        github::secret_names::CHECKS,
    ];
    let ids: Vec<&str> = lists.into_iter().flatten().map(|check| check.id).collect();
    let rows = first_cells(section("Checks"));
    let code: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), code.len(), "an id is used twice in the code");
    let readme: BTreeSet<&str> = rows.iter().copied().collect();
    assert_eq!(rows.len(), readme.len(), "an id has two rows in the README");
    assert_same(&readme, &code);
}

/// The names of properties, however deep.
fn keys<'v>(schema: &'v Value, found: &mut BTreeSet<&'v str>) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get("properties") {
                found.extend(properties.keys().map(String::as_str));
            }
            object.values().for_each(|value| keys(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn every_config_key_is_documented() {
    let schema = settings::config_schema();
    let mut code = BTreeSet::new();
    keys(&schema, &mut code);
    assert_same(
        &first_cells(section("Configuration")).into_iter().collect(),
        &code,
    );
}

#[test]
fn every_command_and_flag_is_documented() {
    let text = section("Commands");
    let mut root = Cli::command();
    root.build();
    let commands = root.get_subcommands().filter(|it| it.get_name() != "help");
    let commands: Vec<_> = commands.collect();
    for command in &commands {
        let name = format!("`tenantgate {}", command.get_name());
        assert!(text.contains(&name), "{name}` is not in the README");
    }
    for argument in [&root]
        .into_iter()
        .chain(commands)
        .flat_map(|it| it.get_arguments())
    {
        let long = argument.get_long().map(|name| format!("`--{name}"));
        let short = argument.get_short().map(|letter| format!("`-{letter}`"));
        // What clap itself adds has a row without its short form.
        let short = short.filter(|_| !matches!(argument.get_id().as_str(), "help" | "version"));
        for flag in [long, short].into_iter().flatten() {
            assert!(text.contains(&flag), "{flag} is not in the README");
        }
    }
}

#[test]
fn every_exit_code_is_documented() {
    let text = section("Exit codes");
    use tenantgate::exit::Exit;
    for exit in [
        Exit::Passed,
        Exit::Blocked,
        Exit::Usage,
        Exit::Unanswered,
        Exit::Bug,
    ] {
        assert!(text.contains(&format!("| {} |", exit.code())), "{exit:?}");
    }
}

#[test]
fn the_tests_of_the_project_are_named() {
    assert!(section("Development").contains("    tests/run "));
}
