//! What is said at the end: what was seen, what was written, what to do next. Pure.

use crate::database_url::EngineKind;

use super::files::{Draft, State};
use super::pipeline::{Deployed, Pipeline, SIGNING_KEY};
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
            State::Kept if draft.path != told.config_path => {
                ("=", "  is there already: left alone (--force replaces it)")
            }
            State::New => ("+", ""),
            State::Replaced => ("~", "  replaced"),
            State::Kept => ("=", "  is there already: left alone"),
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
    text.push_str("\nnext\n");
    for (index, step) in steps(told).iter().enumerate() {
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
        ("tenants", registry),
    ];
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
    let others: Vec<String> = layout
        .others
        .iter()
        .map(|it| format!("{} in {}", it.what, it.folder))
        .collect();
    let others = if others.is_empty() {
        String::new()
    } else {
        format!("; {}", others.join(", "))
    };
    let made = if layout.to_make { " (to be filled)" } else { "" };
    format!("{}{made}{others}", folders.join(", "))
}

fn steps(told: &Told<'_>) -> Vec<String> {
    let pipeline = told.pipeline;
    let mut steps = Vec::new();
    let config = told.config_path;
    let flag = match config {
        "tenantgate.toml" => String::new(),
        config => format!("--config {} ", shell(config)),
    };
    if told.found.is_some() {
        steps.push(format!("Read {config}: the lines with GUESS above all."));
    }
    steps.extend(pin(pipeline, &flag));
    steps.extend(told.found.and_then(fill_folders));
    let first = pipeline.stages.first().map_or("dev", |stage| stage.name.as_str());
    steps.push(format!(
        "Try it here, with the URL of a database in {}:\ntenantgate check {flag}--environment {first}\ntenantgate \
         plan {flag}--environment {first}",
        pipeline.stages.first().and_then(|stage| stage.urls.first()).map_or("the environment", String::as_str)
    ));
    if !told.in_git {
        steps.push("Put this folder into a Git repository on GitHub: the workflows need one.".to_owned());
    }
    if !told.missing_branches.is_empty() {
        steps.push(format!(
            "Make the branches that do not exist yet, or name others in the workflows: {}",
            told.missing_branches.join(", ")
        ));
    }
    steps.push(secrets(&pipeline.stages));
    steps.push(
        "Limit each GitHub environment to its branch (Settings > Environments > Deployment branches), so that no \
         other\nbranch gets its secrets:"
            .to_owned()
            + &pipeline
                .stages
                .iter()
                .map(|stage| format!("\n{}: {}", stage.github_environment, stage.branch))
                .collect::<String>(),
    );
    steps.push(required(pipeline));
    steps.extend(signing(pipeline));
    steps
}

fn signing(pipeline: &Pipeline) -> Option<String> {
    let line = |stage: &Deployed| {
        let environment = shell(&stage.github_environment);
        format!("\ntenantgate keygen | gh secret set {SIGNING_KEY} --env {environment}")
    };
    let lines: String = pipeline.followed().map(line).collect();
    let step = "Sign the evidence, so that nothing else passes for it. Each line prints a public key for [promotion]:";
    (!lines.is_empty()).then(|| format!("{step}{lines}"))
}

fn pin(pipeline: &Pipeline, flag: &str) -> Option<String> {
    let action = &pipeline.action;
    let repository = action.repository();
    let how = format!(
        "git ls-remote https://github.com/{repository} 'refs/tags/v1*'   # of a line pair the one with ^{{}}\ntenantgate init \
         {flag}--force --action-ref COMMIT"
    );
    if action.is_placeholder() {
        return Some(format!(
            "PIN THE ACTION: the workflows name a commit that does not exist, and fail until they name a release's:\n{how}"
        ));
    }
    if !action.is_commit() {
        return Some(format!(
            "Pin the action to a commit: a tag can be moved to other code, and zizmor says so:\n{how}"
        ));
    }
    None
}

fn fill_folders(found: &Found) -> Option<String> {
    let layout = &found.layout;
    let folders: Vec<&str> = [&layout.shared, &layout.tenant]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    layout.to_make.then(|| {
        format!(
            "Put migrations into {}: <version>_<name>.sql.",
            folders.join(" and ")
        )
    })
}

fn secrets(stages: &[Deployed]) -> String {
    let mut step =
        "Make the GitHub environments (Settings > Environments), and give each its secrets. gh asks for the value:"
            .to_owned();
    for stage in stages {
        for name in &stage.secrets {
            step.push_str(&format!(
                "\ngh secret set {name} --env {}",
                shell(&stage.github_environment)
            ));
        }
    }
    step
}

fn required(pipeline: &Pipeline) -> String {
    let mut step = "Require the check on each branch (Settings > Rules > Require status checks). GitHub proposes a name once it\nhas passed:".to_owned();
    for stage in &pipeline.stages {
        step.push_str(&format!("\n{}: {}", stage.branch, pipeline.check_name(stage)));
    }
    step
}

/// Quoted for a shell, where that is needed.
fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
