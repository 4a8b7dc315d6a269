//! What is said at the end: what was seen, what was written, what to do next. Pure.

use crate::database_url::EngineKind;

use super::files::{Draft, State};
use super::next;
use super::pipeline::Pipeline;
use super::{Found, Layout};

/// One run of `init`.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    /// Absent where an existing config was used instead of guesses.
    pub(crate) found: Option<&'a Found>,
    pub(crate) pipeline: &'a Pipeline,
    /// Branches that do not exist yet.
    pub(crate) missing_branches: &'a [String],
    pub(crate) notes: &'a [String],
    pub(crate) files: Vec<(&'a Draft, State)>,
    pub(crate) config_path: &'a str,
    pub(crate) dry_run: bool,
    pub(crate) in_git: bool,
    /// Whoever started this stands where the paths begin.
    pub(crate) at_root: bool,
}

pub(crate) fn render(told: &Told<'_>) -> String {
    let mut text = String::new();
    if let Some(found) = told.found {
        text.push_str("saw\n");
        for (key, value) in seen(found) {
            text.push_str(&format!("  {key:<13} {value}\n"));
        }
        text.push('\n');
    }
    text.push_str(if told.dry_run {
        "would write (--dry-run)\n"
    } else {
        "wrote\n"
    });
    for (draft, state) in &told.files {
        let (sign, remark) = match state {
            State::Kept if draft.path != told.config_path => (
                "=",
                "  is there already: left alone (--force replaces it: changes made by hand are lost)",
            ),
            State::New => ("+", ""),
            State::Replaced => ("~", "  replaced: what was changed in it by hand is gone"),
            State::Kept => ("=", "  is there already: left alone"),
            State::Foreign => (
                "=",
                "  is there already and is not init's: left alone, also with --force",
            ),
            State::Same => ("=", "  is there already, just so"),
        };
        text.push_str(&format!("  {sign} {}{remark}\n", draft.path));
    }
    if !told.notes.is_empty() {
        text.push('\n');
        for note in told.notes {
            text.push_str(&format!("note: {note}\n"));
        }
    }
    text.push_str(match (told.at_root, told.in_git) {
        (true, _) => "\nnext\n",
        (false, true) => "\nnext, from the repository's root: the paths below begin there\n",
        (false, false) => "\nnext, from the config's folder: the paths below begin there\n",
    });
    for (index, step) in next::steps(told).iter().enumerate() {
        let mut lines = step.lines();
        text.push_str(&format!(
            "  {}. {}\n",
            index + 1,
            lines.next().unwrap_or_default()
        ));
        for line in lines {
            text.push_str(&format!("       {line}\n"));
        }
    }
    text
}

fn seen(found: &Found) -> Vec<(&'static str, String)> {
    let engine = match found.engine.value {
        EngineKind::Postgres => "PostgreSQL",
        EngineKind::Mysql => "MariaDB or MySQL",
        EngineKind::Sqlite => "SQLite",
    };
    let because = found.engine.because.as_deref();
    let branches = match &found.branches {
        None => "no Git repository here".to_owned(),
        Some(branches) if branches.is_empty() => "none".to_owned(),
        Some(branches) => shortened(branches),
    };
    let registry = match &found.registry.because {
        Some(because) => format!("{} ({because})", found.registry.sql),
        None => "no table of tenants was found: the query in the config is an example".to_owned(),
    };
    let mut rows = vec![
        ("branches", branches),
        (
            "engine",
            format!("{engine} ({})", because.unwrap_or("a guess: nothing says so")),
        ),
        ("migrations", migrations(&found.layout)),
    ];
    rows.extend(
        found
            .layout
            .others
            .iter()
            .map(|other| ("migrations", other.to_string())),
    );
    rows.push(("tenants", registry));
    for stage in &found.stages {
        let environment = match stage.github_environment_exists {
            true => format!("GitHub environment {}", stage.github_environment),
            false => format!("GitHub environment {} (to be made)", stage.github_environment),
        };
        let branch = if stage.branch_exists { "" } else { " (to be made)" };
        rows.push((
            "environment",
            format!(
                "{}: branch {}{branch}, {environment}, URL in {}",
                stage.name, stage.branch, stage.database_url
            ),
        ));
    }
    rows
}

fn shortened(names: &[String]) -> String {
    match names {
        names if names.len() > 8 => format!("{} and {} more", names[..8].join(", "), names.len() - 8),
        names => names.join(", "),
    }
}

fn migrations(layout: &Layout) -> String {
    let known = [("shared", &layout.shared), ("tenant", &layout.tenant)];
    let folders: Vec<String> = known
        .into_iter()
        .filter_map(|(key, folder)| Some(format!("{key} in {}", folder.as_ref()?)))
        .collect();
    let made = if layout.to_make { " (to be filled)" } else { "" };
    format!("{}{made}", folders.join(", "))
}
