//! Reports that were written before: rendered again, or joined.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::{Cli, ReportCommand};
use crate::domain::Report;
use crate::exit::Exit;
use crate::merge;
use crate::settings::{Invocation, ProcessEnvironment};

use super::{Wrong, gate};

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
/// verdict to say, where another folder has something.
fn reports_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let wrong = |error| {
        let message = format!("cannot list the folder `{}`: {error}", folder.display());
        Wrong::new(message, "name the folder that the artifacts were downloaded into")
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.is_dir() {
            found.extend(reports_below(&path)?);
        } else if path.extension().is_some_and(|it| it == "json") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
