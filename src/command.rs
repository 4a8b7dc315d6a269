//! One invocation, from arguments to exit code.

use std::io::{IsTerminal as _, Read as _, Write};
use std::path::Path;

use anyhow::Context as _;
use clap::Parser as _;

use crate::cli::{Cli, Color, Command, Global, SchemaOf};
use crate::database_url::{self, DatabaseUrl, ExportFormat, Exported};
use crate::domain::{Report, TenantName};
use crate::exit::Exit;
use crate::migrations::FolderError;
use crate::report::text::Style;
use crate::report::{self, Format};
use crate::rollout::{Event, Stop};
use crate::run::{self, Request};
use crate::settings::{self, Flags, Invocation, ProcessEnvironment, Settings, SettingsError};

/// GitHub drops a longer step summary whole; a little room is left for what other steps add.
const SUMMARY_LIMIT: usize = 1_000_000;

/// Does what the arguments say. Every error is rendered here.
pub fn main() -> Exit {
    crate::panic::install();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let help = error.exit_code() == 0;
            // Nobody listens where the stream is closed.
            let _ = error.print();
            return if help { Exit::Passed } else { Exit::Usage };
        }
    };
    match carry_out(&cli) {
        Ok(exit) => exit,
        Err(error) => {
            let (exit, hint) = classify(&error);
            let mut text = format!("error: {}\n", chain(&error));
            if let Some(hint) = hint {
                text.push_str(&format!("  hint: {hint}\n"));
            }
            let _ = std::io::stderr().write_all(text.as_bytes());
            exit
        }
    }
}

fn classify(error: &anyhow::Error) -> (Exit, Option<String>) {
    if let Some(settings) = error.downcast_ref::<SettingsError>() {
        return (Exit::Usage, settings.hint.clone());
    }
    if error.downcast_ref::<FolderError>().is_some() {
        let hint = "[migrations] names the folders, relative to the config file";
        return (Exit::Usage, Some(hint.to_owned()));
    }
    if let Some(Wrong { hint, .. }) = error.downcast_ref::<Wrong>() {
        return (Exit::Usage, hint.clone());
    }
    if error.downcast_ref::<std::io::Error>().is_some() {
        return (Exit::Unanswered, None);
    }
    (
        Exit::Bug,
        Some("this should not happen; please report it".to_owned()),
    )
}

/// The error and its causes on one line, each said once.
fn chain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Something wrong with how the command was called.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Wrong {
    message: String,
    hint: Option<String>,
}

impl Wrong {
    fn new(message: impl Into<String>, hint: &str) -> Self {
        Self {
            message: message.into(),
            hint: Some(hint.to_owned()),
        }
    }
}

fn carry_out(cli: &Cli) -> anyhow::Result<Exit> {
    let process = ProcessEnvironment::read();
    let request = |command| Request {
        command,
        dry_run: false,
        scope: None,
        only: Vec::new(),
        show_sql: false,
    };
    let request = match &cli.command {
        Command::Schema { of } => return print_schema(*of),
        Command::Url { name, export } => return url(cli, &process, name.as_deref(), *export),
        Command::Report { file } => return render_again(cli, &process, file),
        Command::Run { dry_run } => Request {
            dry_run: *dry_run,
            ..request(run::Command::Run)
        },
        Command::Relabel { dry_run } => Request {
            dry_run: *dry_run,
            ..request(run::Command::Relabel)
        },
        Command::Plan { sql } => Request {
            show_sql: *sql,
            ..request(run::Command::Plan)
        },
        Command::Migrate {
            scope,
            tenant,
            dry_run,
        } => Request {
            dry_run: *dry_run,
            scope: scope.map(Into::into),
            only: tenant
                .iter()
                .map(|name| tenant_name(name))
                .collect::<Result<_, _>>()?,
            ..request(run::Command::Migrate)
        },
        Command::Check => request(run::Command::Check),
        Command::Validate => request(run::Command::Validate),
        Command::Promote => request(run::Command::Promote),
        Command::Status => request(run::Command::Status),
    };
    let settings = load_settings(&cli.global, &process)?;
    let invocation = Invocation::from_environment(&process);
    let report = execute(&request, &settings, &invocation, cli.global.quiet)?;
    publish(&cli.global, &invocation, &report)?;
    Ok(Exit::of(&report))
}

fn tenant_name(text: &str) -> Result<TenantName, Wrong> {
    TenantName::parse(text)
        .map_err(|why| Wrong::new(format!("--tenant: {why}"), "give the name as the registry has it"))
}

fn load_settings(global: &Global, process: &ProcessEnvironment) -> Result<Settings, SettingsError> {
    let flags = Flags {
        config: global.config.clone(),
        environment: global.environment.clone(),
        env_file: global.env_file.clone(),
        evidence: global.evidence.clone(),
    };
    settings::load(&flags, process)
}

fn execute(
    request: &Request,
    settings: &Settings,
    invocation: &Invocation,
    quiet: bool,
) -> anyhow::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let redactor = crate::secrets::redactor(settings);
    let progress = crate::progress::progress(quiet, invocation.in_actions, redactor);
    let stop = Stop::default();
    let report = runtime.block_on(async {
        let told = async {
            stop.wanted().await;
            progress.tell(&Event::Stopping);
            std::future::pending().await
        };
        tokio::select! {
            report = run::execute(request, settings, invocation, &stop, progress.as_ref()) => report,
            () = async { tokio::join!(stop.clone().listen(), told).1 } => unreachable!("the notice waits for ever"),
        }
    });
    // A name that is still being looked up must not keep the process.
    runtime.shutdown_background();
    report
}

/// Every place that a report goes to. The file first: it is wanted most when something fails.
/// What cannot be written anywhere must not keep the others from saying what happened.
fn publish(global: &Global, invocation: &Invocation, report: &Report) -> anyhow::Result<()> {
    let filed = match &global.report {
        Some(path) => write_whole(path, &report::json::render(report))
            .with_context(|| format!("cannot write the report to `{}`", path.display())),
        None => Ok(()),
    };
    let summarised = match &invocation.step_summary {
        Some(path) => append(path, &report::markdown::render(report, SUMMARY_LIMIT))
            .with_context(|| format!("cannot write the step summary `{path}`")),
        None => Ok(()),
    };
    let printed = show(global, invocation, report);
    filed.and(summarised).and(printed)
}

fn append(path: &str, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(text.as_bytes())
}

fn show(global: &Global, invocation: &Invocation, report: &Report) -> anyhow::Result<()> {
    let text = match global.format {
        Format::Text => report::text::render(report, &style(global, invocation)),
        Format::Json => report::json::render(report),
        Format::Markdown => report::markdown::render(report, SUMMARY_LIMIT),
        Format::Github => {
            let token = format!(
                "{:032x}",
                (u128::from(fastrand::u64(..)) << 64) | u128::from(fastrand::u64(..))
            );
            report::github::render(report, &token)
        }
    };
    print(&text)
}

fn style(global: &Global, invocation: &Invocation) -> Style {
    let terminal = std::io::stdout().is_terminal();
    let color = match global.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && !invocation.no_color,
    };
    let (_, columns) = console::Term::stdout().size();
    let width = if terminal {
        usize::from(columns).clamp(40, 140)
    } else {
        100
    };
    Style { color, width }
}

/// Writes beside the file and renames, so that a reader never sees half of it.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    // A pipe or a device is written to, not replaced.
    if path.metadata().is_ok_and(|file| !file.is_file()) {
        return std::fs::write(path, text);
    }
    let draft = path.with_extension(format!("{}.tmp", std::process::id()));
    std::fs::write(&draft, text)?;
    std::fs::rename(&draft, path)
}

/// Whoever reads stdout may stop reading (`| head`): that is no error.
fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to stdout"),
    }
}

fn print_schema(of: SchemaOf) -> anyhow::Result<Exit> {
    let schema = match of {
        SchemaOf::Config => settings::config_schema(),
        SchemaOf::Report => report::schema::report_schema(),
    };
    print(&format!("{}\n", serde_json::to_string_pretty(&schema)?))?;
    Ok(Exit::Passed)
}

fn render_again(cli: &Cli, process: &ProcessEnvironment, file: &Path) -> anyhow::Result<Exit> {
    let hint = "it is the file that `--report` of an earlier command wrote";
    let text = std::fs::read_to_string(file)
        .map_err(|error| Wrong::new(format!("cannot read `{}`: {error}", file.display()), hint))?;
    let report: Report = serde_json::from_str(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Wrong::new(
            format!(
                "`{}` is not a report (line {line}, column {column})",
                file.display()
            ),
            hint,
        )
    })?;
    publish(&cli.global, &Invocation::from_environment(process), &report)?;
    Ok(Exit::of(&report))
}

/// `tenantgate url`
fn url(
    cli: &Cli,
    process: &ProcessEnvironment,
    name: Option<&str>,
    format: Option<ExportFormat>,
) -> anyhow::Result<Exit> {
    let (name, value) = url_value(cli, process, name)?;
    let url = match database_url::parse(&value) {
        Ok(url) => url,
        Err(problems) => {
            let mut text = format!("✘ {name} cannot be used\n");
            for problem in problems {
                text.push_str(&format!("  {} ({})\n", problem.message, problem.check.id));
                if let Some(hint) = problem.hint {
                    text.push_str(&format!("    -> {hint}\n"));
                }
            }
            print(&text)?;
            return Ok(Exit::Blocked);
        }
    };
    match format {
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
            if name.contains("://") {
                let hint = "give the NAME of an environment variable, or pipe the URL in: an argument is seen by other users of this machine";
                return Err(Wrong::new("a URL as an argument is not accepted", hint).into());
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
