//! A command of the gate: carried out, and its report taken to every place that wants it.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::Context as _;

use crate::cli::{Color, Global};
use crate::database_url::{self, DatabaseUrl};
use crate::domain::{Report, shown_path};
use crate::exit::Exit;
use crate::publish::{self, Publisher};
use crate::report::text::Style;
use crate::report::{self, Format};
use crate::rollout::{Event, Stop};
use crate::run::{self, Request};
use crate::settings::{Invocation, Settings};

use super::print;

/// GitHub drops a longer step summary whole; a little room is left for what other steps add.
const SUMMARY_LIMIT: usize = 1_000_000;

pub(super) fn gate(
    request: &Request,
    settings: &Settings,
    invocation: &Invocation,
    global: &Global,
) -> anyhow::Result<Exit> {
    let url = settings
        .variables
        .get(settings.environment.database_url.as_str())
        .and_then(|value| database_url::parse(value.expose()).ok());
    if let Some(url) = url.as_ref().filter(|_| invocation.by_action) {
        mask(url);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let done = runtime.block_on(execute(request, settings, invocation, global));
    // A name that is still being looked up must not keep the process.
    runtime.shutdown_background();
    let Done { report, file, posted } = done?;
    let places = Places {
        global,
        invocation,
        file,
        comment_url: posted.comment_url.as_deref(),
        url: url.as_ref(),
    };
    deliver(places, &report)?;
    Ok(Exit::of(&report))
}

/// The runner masks a secret URL as it is written, and not the password that is in it.
fn mask(url: &DatabaseUrl) {
    let mut stderr = std::io::stderr().lock();
    for command in database_url::mask_commands(url) {
        let _ = writeln!(stderr, "{}", command.expose());
    }
}

struct Done {
    report: Report,
    /// Whether the report's file was written.
    file: anyhow::Result<()>,
    posted: publish::Posted,
}

async fn execute(
    request: &Request,
    settings: &Settings,
    invocation: &Invocation,
    global: &Global,
) -> anyhow::Result<Done> {
    let redactor = crate::secrets::redactor(settings);
    let progress = crate::progress::progress(global.quiet, invocation.in_actions, redactor);
    let stop = Stop::default();
    let mut publisher = Publisher::new(request, settings, invocation);
    let work = async {
        // Nobody waits for GitHub before the database is asked.
        let (report, ()) = tokio::join!(
            run::execute(request, settings, invocation, &stop, progress.as_ref()),
            publisher.begin(&stop)
        );
        let mut report = match report {
            Ok(report) => report,
            Err(error) => {
                publisher.give_up(&stop).await;
                return Err(error);
            }
        };
        // The file first: it is wanted most when something fails, and GitHub may keep us waiting.
        let mut file = write_report(global, invocation, &report);
        let posted = publisher.finish(&mut report, &stop).await;
        if posted.noted {
            file = write_report(global, invocation, &report);
        }
        Ok(Done { report, file, posted })
    };
    // What only reads is ended by the runner without a loss.
    let deadline = settings.rollout.deadline.filter(|_| request.writes());
    let told = async {
        stop.wanted().await;
        progress.tell(&Event::Stopping);
        std::future::pending().await
    };
    tokio::select! {
        done = work => done,
        () = async { tokio::join!(stop.clone().listen(), stop.clone().at_deadline(deadline), told).2 } => unreachable!("the notice waits for ever"),
    }
}

fn write_report(global: &Global, invocation: &Invocation, report: &Report) -> anyhow::Result<()> {
    let write = |path: Option<&Path>, text: &dyn Fn() -> String| match path {
        Some(path) => write_whole(path, &text())
            .with_context(|| format!("cannot write the report to `{}`", path.display())),
        None => Ok(()),
    };
    let json = write(global.report.as_deref(), &|| report::json::render(report));
    let sarif = write(global.sarif.as_deref(), &|| sarif(global, invocation, report));
    json.and(sarif)
}

fn sarif(global: &Global, invocation: &Invocation, report: &Report) -> String {
    let config = shown_path(&global.config);
    let places = report::sarif::Places {
        folder: invocation.folder.as_deref(),
        config: &config,
    };
    report::sarif::render(report, places)
}

/// Where a report goes beside its file.
struct Places<'a> {
    global: &'a Global,
    invocation: &'a Invocation,
    file: anyhow::Result<()>,
    comment_url: Option<&'a str>,
    url: Option<&'a DatabaseUrl>,
}

/// A report that was read from a file goes where one goes that was just made.
pub(super) fn deliver_again(global: &Global, invocation: &Invocation, report: &Report) -> anyhow::Result<()> {
    let places = Places {
        global,
        invocation,
        file: write_report(global, invocation, report),
        comment_url: None,
        url: None,
    };
    deliver(places, report)
}

/// A place that cannot be written does not keep the report from the others.
fn deliver(places: Places<'_>, report: &Report) -> anyhow::Result<()> {
    let Places {
        global,
        invocation,
        file,
        comment_url,
        url,
    } = places;
    let summary = invocation.step_summary.as_deref().map_or(Ok(()), |path| {
        append(path, &report::markdown::render(report, SUMMARY_LIMIT))
            .with_context(|| format!("cannot write the step summary `{path}`"))
    });
    let output = invocation.actions.as_ref().and_then(|it| it.output.as_deref());
    let outputs = output.map_or(Ok(()), |path| {
        let written = global.report.as_deref().filter(|_| file.is_ok());
        let outputs = publish::outputs(report, written, comment_url, url);
        append(path, &publish::render_outputs(&outputs, &unguessable()))
            .with_context(|| format!("cannot write the step's outputs `{path}`"))
    });
    print(&rendered(global, invocation, report))
        .and(file)
        .and(summary)
        .and(outputs)
}

pub(super) fn append(path: &str, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(text.as_bytes())
}

pub(super) fn unguessable() -> String {
    format!("tenantgate_{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}

fn rendered(global: &Global, invocation: &Invocation, report: &Report) -> String {
    match global.format {
        Format::Text => report::text::render(report, &style(global, invocation)),
        Format::Json => report::json::render(report),
        Format::Markdown => report::markdown::render(report, SUMMARY_LIMIT),
        Format::Sarif => sarif(global, invocation, report),
        Format::Github => report::github::render(report, &unguessable(), invocation.folder.as_deref()),
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
