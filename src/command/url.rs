//! `tenantgate url`: explains one DATABASE_URL, or exports its parts.

use std::io::{IsTerminal as _, Read as _, Write as _};

use anyhow::Context as _;
use serde_json::json;

use crate::cli::Cli;
use crate::database_url::{self, DatabaseUrl, ExportFormat, Exported, Problem};
use crate::domain::SecretName;
use crate::exit::Exit;
use crate::report::Format;
use crate::settings::{Invocation, ProcessEnvironment};

use super::{Wrong, load_settings, print};

pub(super) fn url(
    cli: &Cli,
    process: &ProcessEnvironment,
    name: Option<&str>,
    format: Option<ExportFormat>,
) -> anyhow::Result<Exit> {
    if cli.global.report.is_some() {
        // Said, not refused: a workflow may pass it to all commands alike.
        let _ = writeln!(
            std::io::stderr(),
            "note: `url` makes no report, so `--report` has no effect here"
        );
    }
    let as_json = cli.global.format == Format::Json;
    let (name, value) = url_value(cli, process, name)?;
    let url = match database_url::parse(&value) {
        Ok(url) => url,
        Err(problems) => {
            print(&if as_json {
                refused_json(&name, &problems)
            } else {
                refused(&name, &problems)
            })?;
            return Ok(Exit::Blocked);
        }
    };
    match format {
        None if as_json => print(&explained_json(&name, &url))?,
        None => print(&explained(&name, &url))?,
        Some(format) => export(process, &url, format)?,
    }
    Ok(Exit::Passed)
}

fn url_value(
    cli: &Cli,
    process: &ProcessEnvironment,
    name: Option<&str>,
) -> anyhow::Result<(String, String)> {
    let configured = cli.global.environment.is_some() || cli.global.env_file.is_some();
    match name {
        Some(name) if name != "-" => {
            if SecretName::parse(name).is_err() {
                let hint = "a name is letters, digits and `_`; a URL is piped in, or held by a variable";
                return Err(Wrong::new("the argument is not the name of a variable", hint).into());
            }
            let variables = if configured {
                load_settings(&cli.global, process)?.variables
            } else {
                Default::default()
            };
            let value = process.variables.get(name).or_else(|| variables.get(name));
            let value = value.ok_or_else(|| {
                Wrong::new(
                    format!("the variable {name} is not set"),
                    "export it, or pipe the URL into `tenantgate url`",
                )
            })?;
            Ok((name.to_owned(), value.expose().to_owned()))
        }
        None if configured => {
            let settings = load_settings(&cli.global, process)?;
            let name = settings.environment.database_url.as_str().to_owned();
            let value = settings.variables.get(&name).ok_or_else(|| {
                Wrong::new(
                    format!("the variable {name} is not set"),
                    "export it, or name a file with `--env-file`",
                )
            })?;
            Ok((name, value.expose().to_owned()))
        }
        _ => {
            let mut bytes = Vec::new();
            let mut input = std::io::stdin();
            if input.is_terminal() {
                let _ = writeln!(std::io::stderr(), "type or paste the URL, then Ctrl-D:");
            }
            input
                .read_to_end(&mut bytes)
                .context("cannot read standard input")?;
            let text = String::from_utf8(bytes)
                .map_err(|_| Wrong::new("standard input is not UTF-8", "a URL is ASCII, percent-encoded"))?;
            // The line end is the pipe's, not the value's.
            let text = text
                .strip_suffix('\n')
                .map(|text| text.strip_suffix('\r').unwrap_or(text))
                .unwrap_or(&text);
            Ok(("the URL on standard input".to_owned(), text.to_owned()))
        }
    }
}

fn refused(name: &str, problems: &[Problem]) -> String {
    let mut text = format!("✘ {name} cannot be used\n");
    for problem in problems {
        text.push_str(&format!("  {} ({})\n", problem.message, problem.check.id));
        if let Some(hint) = &problem.hint {
            text.push_str(&format!("    -> {hint}\n"));
        }
    }
    text
}

fn refused_json(name: &str, problems: &[Problem]) -> String {
    let problem = |it: &Problem| json!({ "check": it.check.id, "message": it.message, "hint": it.hint });
    let problems: Vec<_> = problems.iter().map(problem).collect();
    format!(
        "{:#}\n",
        json!({ "name": name, "understood": false, "problems": problems })
    )
}

fn explained_json(name: &str, url: &DatabaseUrl) -> String {
    let parts: serde_json::Map<_, _> = database_url::explain(url)
        .into_iter()
        .map(|(key, value)| (key, value.into()))
        .collect();
    format!(
        "{:#}\n",
        json!({ "name": name, "understood": true, "parts": parts, "notes": url.notes })
    )
}

fn explained(name: &str, url: &DatabaseUrl) -> String {
    let rows = database_url::explain(url);
    let width = rows.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
    let mut text = format!("✔ {name} is understood\n");
    for (key, value) in rows {
        text.push_str(&format!("  {key:width$}  {value}\n"));
    }
    for note in &url.notes {
        text.push_str(&format!("  note: {note}\n"));
    }
    text
}

fn export(process: &ProcessEnvironment, url: &DatabaseUrl, format: ExportFormat) -> anyhow::Result<()> {
    let exported = database_url::export(url, format)
        .map_err(|error| Wrong::new(error.to_string(), "change the password, or use another format"))?;
    let github = match exported {
        Exported::Text(text) => return print(text.expose()),
        Exported::Github(github) => github,
    };
    let path = Invocation::from_environment(process).github_env.ok_or_else(|| {
        Wrong::new(
            "GITHUB_ENV is not set",
            "`--export github` works in a step of a workflow; elsewhere use dotenv or json",
        )
    })?;
    for mask in &github.masks {
        print(&format!("{}\n", mask.expose()))?;
    }
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .with_context(|| format!("cannot open the file of GITHUB_ENV `{path}`"))?;
    file.write_all(github.file.expose().as_bytes())
        .context("cannot write the file of GITHUB_ENV")
}
