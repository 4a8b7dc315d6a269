//! One invocation, from arguments to exit code.

mod init;
mod url;

use std::io::{IsTerminal as _, Write};
use std::path::Path;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _};

use crate::cli::{Cli, Color, Command, EXIT_STATUS, Global, SchemaOf};
use crate::domain::{Report, TenantName};
use crate::exit::Exit;
use crate::init::files::WriteError;
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
    let carried_out = match refuse_a_password() {
        Err(wrong) => Err(wrong.into()),
        Ok(()) => match parse_arguments() {
            Ok(cli) => carry_out(&cli),
            Err(error) => {
                // Nobody listens where the stream is closed.
                let _ = error.print();
                let help = error.exit_code() == 0;
                return if help { Exit::Passed } else { Exit::Usage };
            }
        },
    };
    match carried_out {
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

/// The exit codes are part of every command's help.
fn parse_arguments() -> Result<Cli, clap::Error> {
    let command = Cli::command().mut_subcommands(|command| command.after_help(EXIT_STATUS));
    Cli::from_arg_matches(&command.try_get_matches()?)
}

/// A URL in place of a name or a file would be repeated by whatever does not find it.
fn refuse_a_password() -> Result<(), Wrong> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.any(|it| may_hold_a_password(&it.to_string_lossy())) {
        let hint = "give the NAME of an environment variable that holds it, or pipe it into `tenantgate url`: an \
                    argument is seen by other users of this machine";
        return Err(Wrong::new("a URL as an argument is not accepted", hint));
    }
    Ok(())
}

/// A URL, or libpq's and JDBC's keywords.
fn may_hold_a_password(argument: &str) -> bool {
    argument.contains("://") || argument.to_ascii_lowercase().contains("password=")
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
    if error.downcast_ref::<std::io::Error>().is_some() || error.downcast_ref::<WriteError>().is_some() {
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
        Command::Url { name, export } => return url::url(cli, &process, name.as_deref(), *export),
        Command::Init(arguments) => return init::init(cli, &process, arguments),
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
/// A place that cannot be written does not keep the report from the others.
fn publish(global: &Global, invocation: &Invocation, report: &Report) -> anyhow::Result<()> {
    let file = global.report.as_deref().map_or(Ok(()), |path| {
        write_whole(path, &report::json::render(report))
            .with_context(|| format!("cannot write the report to `{}`", path.display()))
    });
    let summary = invocation.step_summary.as_deref().map_or(Ok(()), |path| {
        append(path, &report::markdown::render(report, SUMMARY_LIMIT))
            .with_context(|| format!("cannot write the step summary `{path}`"))
    });
    print(&rendered(global, invocation, report))
        .and(file)
        .and(summary)
}

fn append(path: &str, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(text.as_bytes())
}

fn rendered(global: &Global, invocation: &Invocation, report: &Report) -> String {
    match global.format {
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
    }
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
