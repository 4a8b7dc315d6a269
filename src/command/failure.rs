//! An error that left no report: usage, configuration, a file that cannot be written, a bug.

use std::io::Write as _;

use crate::domain::Finding;
use crate::exit::Exit;
use crate::init::files::WriteError;
use crate::migrations::FolderError;
use crate::publish;
use crate::report;
use crate::run;
use crate::settings::{Invocation, ProcessEnvironment, SettingsError};

use super::Wrong;
use super::gate::{append, unguessable};

/// Says it on stderr, and to those who look at a step of GitHub Actions where they look.
pub(super) fn tell(error: &anyhow::Error) -> Exit {
    let (exit, hint) = classify(error);
    let mut text = format!("error: {}\n", chain(error));
    if let Some(hint) = &hint {
        text.push_str(&format!("  hint: {hint}\n"));
    }
    let invocation = Invocation::from_environment(&ProcessEnvironment::read());
    if invocation.in_actions {
        let finding = finding(error, hint);
        text.push_str(&report::github::annotation_of(
            &finding,
            title(exit),
            invocation.folder.as_deref(),
        ));
        leave(&invocation, &finding, exit);
    }
    let _ = std::io::stderr().write_all(text.as_bytes());
    exit
}

/// The error itself is on stderr: what cannot be written here is not worth another one.
fn leave(invocation: &Invocation, finding: &Finding, exit: Exit) {
    if let Some(path) = &invocation.step_summary {
        let _ = append(path, &report::markdown::render_failure(finding, title(exit)));
    }
    if let Some(path) = invocation.actions.as_ref().and_then(|it| it.output.as_deref()) {
        let outputs = publish::outputs_of_failure(exit);
        let _ = append(path, &publish::render_outputs(&outputs, &unguessable()));
    }
}

/// Usage is wrong before anything is done; all else may be after it.
fn title(exit: Exit) -> &'static str {
    match exit {
        Exit::Usage => "tenantgate could not begin",
        _ => "tenantgate could not finish",
    }
}

fn finding(error: &anyhow::Error, hint: Option<String>) -> Finding {
    let mut finding = match error.downcast_ref::<SettingsError>() {
        Some(settings) => {
            let mut finding = Finding::error(settings.message.clone());
            finding.file = settings.file.as_deref().map(crate::domain::shown_path);
            (finding.line, finding.column) = (settings.line, settings.column);
            finding
        }
        None => Finding::error(chain(error)),
    };
    finding.hint = hint;
    finding
}

fn classify(error: &anyhow::Error) -> (Exit, Option<String>) {
    if let Some(settings) = error.downcast_ref::<SettingsError>() {
        return (Exit::Usage, settings.hint.clone());
    }
    if error.downcast_ref::<FolderError>().is_some() {
        let hint = "[migrations] names the folders, relative to the config file";
        return (Exit::Usage, Some(hint.to_owned()));
    }
    if let Some(wrong) = error.downcast_ref::<run::Wrong>() {
        return (Exit::Usage, Some(wrong.hint.clone()));
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
