//! What people put into DATABASE_URL, and what is said about it.
#![allow(clippy::unwrap_used)]

mod checks;
mod export;
mod identity;
mod leaks;
mod mysql;
mod notes;
mod pasted;
mod postgres;
mod sqlite;
mod table;

use super::*;
use crate::domain::CheckDefinition;

/// The URL must be accepted.
#[track_caller]
fn good(text: &str) -> DatabaseUrl {
    match parse(text) {
        Ok(url) => url,
        Err(problems) => panic!("{text:?} was refused: {problems:#?}"),
    }
}

/// The URL must be refused, by this check among others; gives message and hint.
#[track_caller]
fn bad(text: &str, check: &CheckDefinition) -> String {
    match parse(text) {
        Ok(_) => panic!("{text:?} was accepted"),
        Err(problems) => {
            let found = problems.iter().find(|problem| problem.check.id == check.id);
            let problem = found.unwrap_or_else(|| panic!("{text:?}: not {}: {problems:#?}", check.id));
            format!(
                "{} ({})",
                problem.message,
                problem.hint.as_deref().unwrap_or("no hint")
            )
        }
    }
}

fn tcp(host: &str, port: u16) -> Address {
    Address::Tcp {
        host: host.to_owned(),
        port,
    }
}

fn socket(path: &str, port: u16) -> Address {
    Address::Socket {
        path: path.into(),
        port,
    }
}

fn password(url: &DatabaseUrl) -> Option<&str> {
    url.password.as_ref().map(Secret::expose)
}

#[track_caller]
fn noted(text: &str, part: &str) {
    let notes = good(text).notes;
    assert!(
        notes.iter().any(|note| note.contains(part)),
        "{text:?}: no note with {part:?}: {notes:#?}"
    );
}
