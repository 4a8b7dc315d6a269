//! Who may work at the same time, the same for all engines.
//!
//! The lease table has a row for each part of an environment that somebody works on: `` (empty) is the whole
//! environment, `3/8` one shard of it. Shards of one partition go together; the whole goes with nothing, and
//! shards of two partitions do not go together, because they may have the same tenant.
//!
//! Taking it is three statements, each committed before the next one begins: expired rows in the way are
//! deleted, the own row is written unless somebody has that part, and the table is looked at. Whoever finds
//! a row in the way, expired or not, gives the own one back. Of two that begin at the same instant at least
//! one has written before the other looks, so they cannot both go on; where each sees the other, neither
//! does, and they come back after pauses of different lengths. A row that expired is deleted before anybody
//! takes its place, so its holder cannot prolong it any more.

use std::time::Duration;

use crate::domain::{Redactor, Shard};

use super::{Holder, LeaseAnswer};

/// The value of the column `part`: letters that need no escaping anywhere.
pub(super) fn part(holder: &Holder) -> String {
    holder.shard.map(|shard| shard.to_string()).unwrap_or_default()
}

/// Which other rows are in the way, as a condition on the column `part`.
pub(super) fn in_the_way(shard: Option<Shard>) -> String {
    match shard {
        None => "1 = 1".to_owned(),
        Some(shard) => format!("(part = '{shard}' OR part NOT LIKE '%/{}')", shard.number()),
    }
}

/// A row of the last statement: whether it is the own one, its part, whence its holder is, milliseconds left.
pub(super) struct LeaseRow {
    pub(super) own: bool,
    pub(super) part: String,
    pub(super) whence: String,
    pub(super) left: u64,
}

/// The answer that the rows give. None of them, not even the own one: somebody was faster, and is gone again.
pub(super) fn answer(rows: &[LeaseRow], redactor: &Redactor) -> LeaseAnswer {
    match rows.iter().filter(|row| !row.own).max_by_key(|row| row.left) {
        None if !rows.is_empty() => LeaseAnswer::Acquired,
        None => LeaseAnswer::Held {
            whence: "a run that has just ended".to_owned(),
            expires_in: Duration::ZERO,
        },
        Some(row) => {
            let shard = match row.part.as_str() {
                "" => String::new(),
                part => format!(" (shard {part})"),
            };
            LeaseAnswer::Held {
                whence: redactor.redact(&format!("{}{shard}", row.whence)),
                expires_in: Duration::from_millis(row.left),
            }
        }
    }
}

/// Whether the own row stands there and is not the lease.
pub(super) fn must_give_back(rows: &[LeaseRow], answer: &LeaseAnswer) -> bool {
    *answer != LeaseAnswer::Acquired && rows.iter().any(|row| row.own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(own: bool, part: &str, left: u64) -> LeaseRow {
        LeaseRow {
            own,
            part: part.to_owned(),
            whence: "somewhere".to_owned(),
            left,
        }
    }

    #[test]
    fn only_the_own_row_alone_is_the_lease() {
        let answer = |rows: &[LeaseRow]| answer(rows, &Redactor::default());
        assert_eq!(answer(&[row(true, "", 9)]), LeaseAnswer::Acquired);
        let held = |whence: &str, left: u64| LeaseAnswer::Held {
            whence: whence.to_owned(),
            expires_in: Duration::from_millis(left),
        };
        assert_eq!(
            answer(&[row(true, "", 9), row(false, "1/2", 4), row(false, "2/2", 7)]),
            held("somewhere (shard 2/2)", 7)
        );
        assert_eq!(answer(&[row(false, "", 0)]), held("somewhere", 0));
        assert_eq!(answer(&[]), held("a run that has just ended", 0));
    }
}
