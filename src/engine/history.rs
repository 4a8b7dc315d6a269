//! The ledger's rows as one text per tenant: how every engine hands over many rows at once.

use std::sync::Arc;

use crate::domain::{Checksum, Entry, EntryState, History, Ledger, Redactor, TenantName, Version};

use super::{EngineError, ErrorKind};

/// Between the columns of a row; no file name has it.
pub(super) const UNIT: char = '\u{1f}';
/// Between rows, and between tenants.
pub(super) const RECORD: char = '\u{1e}';

/// Rows of version, name, checksum, state, statement, done, in_doubt.
pub(super) fn parse(text: &str) -> Result<History, EngineError> {
    let rows = text.split(RECORD).filter(|row| !row.is_empty());
    rows.map(|row| parse_row(row).ok_or_else(unreadable)).collect()
}

fn parse_row(row: &str) -> Option<Entry> {
    let columns: Vec<&str> = row.split(UNIT).collect();
    let [version, name, checksum, state, statement, done, in_doubt] = columns[..] else {
        return None;
    };
    let state = match state {
        "applied" => EntryState::Applied,
        "running" => EntryState::Running {
            statement: statement.parse().ok()?,
            done: Checksum(done.to_owned()),
            in_doubt: matches!(in_doubt, "1" | "t" | "true"),
        },
        "reverting" => EntryState::Reverting {
            statement: statement.parse().ok()?,
            done: Checksum(done.to_owned()),
            in_doubt: matches!(in_doubt, "1" | "t" | "true"),
        },
        _ => return None,
    };
    Some(Entry {
        version: Version(version.parse().ok()?),
        name: name.to_owned(),
        checksum: Checksum(checksum.to_owned()),
        state,
    })
}

/// Adds the tenants (joined by [`RECORD`]; one empty name is the shared schema) that have a history.
pub(super) fn add_group(ledger: &mut Ledger, tenants: &str, history: &str) -> Result<(), EngineError> {
    let history = Arc::new(parse(history)?);
    for tenant in tenants.split(RECORD) {
        if tenant.is_empty() {
            ledger.shared = history.clone();
        } else {
            let name = TenantName::parse(tenant).map_err(|_| unreadable())?;
            ledger.tenants.insert(name, history.clone());
        }
    }
    Ok(())
}

fn unreadable() -> EngineError {
    let message = "the ledger has a row that this version of tenantgate does not understand";
    EngineError::new(ErrorKind::Statement, message, &Redactor::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back() {
        let text = "1\u{1f}a\u{1f}sha256:x\u{1f}applied\u{1f}0\u{1f}\u{1f}0\u{1e}2\u{1f}b\u{1f}sha256:y\u{1f}running\u{1f}3\u{1f}sha256:z\u{1f}1";
        let history = parse(text).expect("good rows");
        assert_eq!(history[0].state, EntryState::Applied);
        assert_eq!(
            history[1].state,
            EntryState::Running {
                statement: 3,
                done: Checksum("sha256:z".into()),
                in_doubt: true
            }
        );
    }

    #[test]
    fn an_unknown_state_is_an_error_not_a_pass() {
        assert!(parse("1\u{1f}a\u{1f}c\u{1f}maybe\u{1f}0\u{1f}\u{1f}0").is_err());
        assert!(parse("rubbish").is_err());
    }
}
