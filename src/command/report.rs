//! Reports that were written before: rendered again, or joined.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::{Cli, ReportCommand};
use crate::domain::Report;
use crate::exit::Exit;
use crate::merge;
use crate::settings::{Invocation, ProcessEnvironment};

use super::{Wrong, gate};

/// Folders below the one that is named: an artifact's, and those inside it.
const DEPTH: usize = 5;
/// Many times what 256 shards leave.
const ENTRIES: usize = 10_000;
const WHICH_FOLDER: &str = "name the folder that the artifacts were downloaded into: reports lie in it, or in a folder for each artifact";

const HINT: &str = "it is the file that `--report` of an earlier command wrote";

pub(super) fn report(
    cli: &Cli,
    process: &ProcessEnvironment,
    file: Option<&Path>,
    command: Option<&ReportCommand>,
) -> anyhow::Result<Exit> {
    let report = match (command, file) {
        (Some(_), Some(file)) => {
            let message = format!("`{}` stands before `merge`", file.display());
            return Err(
                Wrong::new(message, "the files to join stand behind it: `report merge FILE…`").into(),
            );
        }
        (Some(ReportCommand::Merge { files }), None) => join(files)?,
        (None, file) => read(file.context("the arguments name a report")?)?,
    };
    gate::deliver_again(&cli.global, &Invocation::from_environment(process), &report)?;
    Ok(Exit::of(&report))
}

fn read(file: &Path) -> anyhow::Result<Report> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Wrong::new(format!("cannot read `{shown}`: {error}"), HINT))?;
    let report = serde_json::from_str(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Wrong::new(
            format!("`{shown}` is not a report (line {line}, column {column})"),
            HINT,
        )
    })?;
    Ok(report)
}

fn join(files: &[PathBuf]) -> anyhow::Result<Report> {
    let mut reports = Vec::new();
    for file in files {
        let below = if file.is_dir() {
            reports_below(file)?
        } else {
            vec![file.clone()]
        };
        for file in below {
            reports.push((file.display().to_string(), read(&file)?));
        }
    }
    merge::merge(reports).map_err(|error| {
        let hint = error.hint();
        Wrong::new(error.to_string(), hint).into()
    })
}

/// In the order of their names. A folder without any is a matrix of which nothing is left: that is for the
/// verdict to say, where another folder has something. Links are not followed, and a whole disk is no answer.
fn reports_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let wrong = |what: String| Wrong::new(what, WHICH_FOLDER);
    let (mut found, mut seen) = (Vec::new(), 0);
    let mut open = VecDeque::from([(folder.to_owned(), 0)]);
    while let Some((inner, depth)) = open.pop_front() {
        let shown = inner.display();
        let unreadable = |error| wrong(format!("cannot list the folder `{shown}`: {error}"));
        if depth > DEPTH {
            return Err(wrong(format!(
                "`{shown}` lies deeper than any report: {DEPTH} folders below `{}`",
                folder.display()
            ))
            .into());
        }
        for entry in std::fs::read_dir(&inner).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let kind = entry.file_type().map_err(unreadable)?;
            let path = entry.path();
            seen += 1;
            if seen > ENTRIES {
                return Err(wrong(format!(
                    "`{}` has more than {ENTRIES} files and folders",
                    folder.display()
                ))
                .into());
            }
            if kind.is_dir() {
                open.push_back((path, depth + 1));
            } else if kind.is_file() && path.extension().is_some_and(|it| it == "json") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
